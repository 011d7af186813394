"""When Stripe is asked for the fee of a payment, and whose turn it is."""

import django.db.models.functions.datetime
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_customers_of_subscriptions")]

    operations = [
        migrations.RemoveIndex(
            model_name="payment",
            name="payment_without_fee",
        ),
        migrations.AddField(
            model_name="payment",
            name="fee_due_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=backoffice.lib.clock.now,
                editable=False,
                help_text="When Stripe is asked for its fee, until that is known.",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("fee_minor__isnull", True),
                    ("status__in", ("succeeded", "refunded", "partially_refunded", "disputed")),
                ),
                fields=["fee_due_at"],
                name="payment_without_fee",
            ),
        ),
    ]
