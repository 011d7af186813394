"""What does not add up is counted, and found by an index of the payments of which money went back."""

from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_stripe_sync"),
        ("credits", "0011_keys_are_looked_up_whole"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReconciliationCount",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField(default=backoffice.lib.clock.now)),
                (
                    "credited_not_paid",
                    models.PositiveIntegerField(help_text="Purchases in the ledger without a payment."),
                ),
                (
                    "out_of_balance",
                    models.PositiveIntegerField(help_text="Payments whose credits do not fit what went back of them."),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="payment",
            options={
                "permissions": [
                    ("export_payments", "Can export the payments"),
                    ("refund_payment", "Can refund payments"),
                    ("reconcile", "Can reconcile payments with the ledger"),
                ]
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("transaction__isnull", False),
                    models.Q(("refunded_minor__gt", 0), ("disputed_minor__gt", 0), _connector="OR"),
                ),
                fields=["updated_at"],
                name="payment_money_back",
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliationcount",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="reconciliation_count_is_one_row"),
        ),
    ]
