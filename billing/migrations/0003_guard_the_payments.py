"""What was paid, by whom and for which credits stays as it was booked; only its details may become known later."""

from django.db import migrations

from backoffice.lib import guards

# Nothing of it is ever removed either: that guard came with those of the inbox.
PAYMENT_FROZEN = [
    "id",
    "user_id",
    "stripe_payment_id",
    "amount_minor",
    "currency",
    "credits_purchased",
    "transaction_id",
    "created_at",
]


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_guard_the_inbox")]
    operations = [migrations.RunSQL(guards.frozen_columns("billing_payment", PAYMENT_FROZEN))]
