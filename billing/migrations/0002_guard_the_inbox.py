"""What Stripe sent stays as it came, and neither an event nor a payment is ever removed."""

from django.db import migrations

from backoffice.lib import guards

EVENT_FROZEN = [
    "id",
    "stripe_id",
    "type",
    "api_version",
    "livemode",
    "body",
    "payload",
    "stripe_created",
    "object_id",
    "payment_intent_id",
    "received_at",
]


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_inbox_payments_packs")]
    operations = [
        migrations.RunSQL(guards.frozen_columns("billing_stripeevent", EVENT_FROZEN)),
        migrations.RunSQL(guards.no_removal("billing_stripeevent")),
        migrations.RunSQL(guards.no_removal("billing_payment")),
    ]
