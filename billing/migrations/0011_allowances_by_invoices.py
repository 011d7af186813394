"""Invoices say what they granted; plans, their prices and packs say which word of Stripe's they go by."""

from decimal import Decimal

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_guard_what_stripe_says"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="invoice",
            options={"permissions": [("read_paymentmethods", "Can read the payment methods of customers in Stripe")]},
        ),
        migrations.AlterModelOptions(
            name="plan",
            options={"ordering": ["position", "id"], "permissions": [("export_plans", "Can export the plans")]},
        ),
        migrations.AddField(
            model_name="creditpack",
            name="as_of",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="creditpack",
            name="as_of_rank",
            field=models.SmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="invoice",
            name="allowance_start",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="monthly_credits",
            field=models.DecimalField(
                decimal_places=4,
                help_text="What it adds to the allowance of its period, for each month; empty until that is granted.",
                max_digits=18,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="as_of",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="as_of_rank",
            field=models.SmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="plan",
            name="stripe_credits",
            field=models.DecimalField(blank=True, decimal_places=4, editable=False, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="stripe_name",
            field=models.CharField(blank=True, editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name="plan",
            name="trial_credits",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="The allowance of a trial, for each unit of quantity. Empty: that of a month.",
                max_digits=18,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="planprice",
            name="as_of",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="planprice",
            name="as_of_rank",
            field=models.SmallIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="period_start",
            field=models.DateTimeField(help_text="Of what it was made out for.", null=True),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("allowance_start__isnull", True), ("monthly_credits__isnull", True)),
                    models.Q(
                        ("allowance_start__isnull", False), ("monthly_credits__isnull", False), ("status", "paid")
                    ),
                    _connector="OR",
                ),
                name="invoice_grants_once_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("trial_credits__isnull", True),
                    models.Q(("trial_credits__gte", 0), ("trial_credits__lte", Decimal("1000000000"))),
                    _connector="OR",
                ),
                name="plan_trial_credits_range",
                violation_error_message="The credits must be from 0 to 1,000,000,000.",
            ),
        ),
    ]
