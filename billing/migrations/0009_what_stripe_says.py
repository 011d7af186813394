"""All that Stripe tells of: refunds, disputes, subscriptions, invoices, plans, rates; and which events belong together."""

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock
import billing.models.packs


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_ids_are_looked_up_whole"),
        ("credits", "0011_keys_are_looked_up_whole"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of", models.DateTimeField(editable=False, null=True)),
                ("as_of_rank", models.SmallIntegerField(default=0, editable=False)),
                ("stripe_dispute_id", models.CharField(max_length=200, unique=True)),
                ("amount_minor", models.BigIntegerField(help_text="In minor units of the payment's currency.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("warning_needs_response", "Inquiry: needs response"),
                            ("warning_under_review", "Inquiry: under review"),
                            ("warning_closed", "Inquiry: closed"),
                            ("needs_response", "Needs response"),
                            ("under_review", "Under review"),
                            ("prevented", "Prevented"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                        ],
                        max_length=32,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=64)),
                (
                    "fee_minor",
                    models.BigIntegerField(help_text="Stripe's fee for it, in the currency of settlement.", null=True),
                ),
                ("fee_currency", models.CharField(blank=True, max_length=3)),
                ("evidence_due_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("date", models.DateField()),
                (
                    "base",
                    models.CharField(
                        help_text="Such as EUR.", max_length=3, validators=[billing.models.packs.validate_currency]
                    ),
                ),
                (
                    "quote",
                    models.CharField(
                        help_text="Such as USD.", max_length=3, validators=[billing.models.packs.validate_currency]
                    ),
                ),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=10, help_text="How many units of the second one buys.", max_digits=20
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["-date", "base", "quote"],
                "permissions": [("export_exchangerates", "Can export the exchange rates")],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of", models.DateTimeField(editable=False, null=True)),
                ("as_of_rank", models.SmallIntegerField(default=0, editable=False)),
                ("stripe_invoice_id", models.CharField(max_length=200, unique=True)),
                ("stripe_subscription_id", models.CharField(blank=True, max_length=200)),
                (
                    "number",
                    models.CharField(
                        blank=True, help_text="As the customer reads it; empty of a draft.", max_length=64
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("open", "Open"),
                            ("paid", "Paid"),
                            ("uncollectible", "Uncollectible"),
                            ("void", "Void"),
                        ],
                        max_length=16,
                    ),
                ),
                ("billing_reason", models.CharField(blank=True, max_length=64)),
                ("currency", models.CharField(help_text="ISO 4217 code.", max_length=3)),
                ("subtotal_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("amount_due_minor", models.BigIntegerField(default=0)),
                ("amount_paid_minor", models.BigIntegerField(default=0)),
                ("hosted_url", models.URLField(blank=True, max_length=1000)),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(help_text="When Stripe tries to collect it again.", null=True),
                ),
                ("period_start", models.DateTimeField(null=True)),
                ("period_end", models.DateTimeField(null=True)),
                ("issued_at", models.DateTimeField(help_text="When Stripe made it.")),
                ("due_at", models.DateTimeField(null=True)),
                ("paid_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.SlugField(
                        help_text="Such as pro. It is written beside each customer who has the plan.",
                        max_length=64,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "monthly_credits",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        help_text="The allowance of a month, for each unit of quantity. 0: none.",
                        max_digits=18,
                    ),
                ),
                (
                    "stripe_product_id",
                    models.CharField(
                        blank=True,
                        help_text="Such as prod_TSc1xq. Every price of it counts as this plan.",
                        max_length=200,
                        null=True,
                        unique=True,
                        verbose_name="Stripe product",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="Whether it is for sale.", verbose_name="active"),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="The lower, the further up.")),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="PlanPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stripe_price_id", models.CharField(max_length=200, unique=True, verbose_name="Stripe price")),
                (
                    "amount_minor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="In minor units; empty if it is billed by use or in tiers.",
                        null=True,
                        verbose_name="amount",
                    ),
                ),
                ("currency", models.CharField(max_length=3, validators=[billing.models.packs.validate_currency])),
                (
                    "interval",
                    models.CharField(
                        choices=[("day", "Day"), ("week", "Week"), ("month", "Month"), ("year", "Year")], max_length=8
                    ),
                ),
                ("interval_count", models.PositiveSmallIntegerField(default=1)),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Whether Stripe still sells at it.", verbose_name="active"
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["plan", "currency", "interval", "id"],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of", models.DateTimeField(editable=False, null=True)),
                ("as_of_rank", models.SmallIntegerField(default=0, editable=False)),
                ("stripe_refund_id", models.CharField(blank=True, max_length=200, null=True, unique=True)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True, unique=True)),
                ("amount_minor", models.BigIntegerField(help_text="In minor units of the payment's currency.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("requires_action", "Requires action"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                (
                    "policy",
                    models.CharField(
                        choices=[("claw_back", "Take the credits back in proportion"), ("leave", "Leave the credits")],
                        default="claw_back",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, help_text="Why, in the words of who asked for it.")),
                ("stripe_reason", models.CharField(blank=True, max_length=64)),
                (
                    "failure",
                    models.CharField(blank=True, help_text="Why it failed, in Stripe's words.", max_length=500),
                ),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "refunded_at",
                    models.DateTimeField(help_text="When Stripe made it; until that is known, when it was asked for."),
                ),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of", models.DateTimeField(editable=False, null=True)),
                ("as_of_rank", models.SmallIntegerField(default=0, editable=False)),
                ("stripe_subscription_id", models.CharField(max_length=200, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("incomplete", "Incomplete"),
                            ("incomplete_expired", "Expired before it began"),
                            ("trialing", "Trial"),
                            ("active", "Active"),
                            ("past_due", "Past due"),
                            ("unpaid", "Unpaid"),
                            ("paused", "Paused"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=24,
                    ),
                ),
                ("currency", models.CharField(help_text="ISO 4217 code.", max_length=3)),
                (
                    "mrr_minor",
                    models.BigIntegerField(default=0, help_text="Monthly recurring revenue, in minor units."),
                ),
                ("started_at", models.DateTimeField()),
                ("current_period_start", models.DateTimeField(null=True)),
                ("current_period_end", models.DateTimeField(null=True)),
                ("trial_start", models.DateTimeField(null=True)),
                ("trial_end", models.DateTimeField(null=True)),
                ("cancel_at_period_end", models.BooleanField(default=False)),
                ("cancel_at", models.DateTimeField(null=True)),
                (
                    "canceled_at",
                    models.DateTimeField(help_text="When it was said that it ends, which may be later.", null=True),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "pause_behavior",
                    models.CharField(blank=True, help_text="What becomes of invoices while it pauses.", max_length=32),
                ),
                ("pause_resumes_at", models.DateTimeField(null=True)),
                (
                    "discounts",
                    models.JSONField(default=list, help_text="The recurring ones: percent_off, amount_off, ends."),
                ),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="SubscriptionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(help_text="ISO 4217 code.", max_length=3)),
                ("at", models.DateTimeField(help_text="When it happened, by Stripe's clock.")),
                ("rank", models.SmallIntegerField(help_text="The order of types within one second.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("incomplete", "Incomplete"),
                            ("incomplete_expired", "Expired before it began"),
                            ("trialing", "Trial"),
                            ("active", "Active"),
                            ("past_due", "Past due"),
                            ("unpaid", "Unpaid"),
                            ("paused", "Paused"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=24,
                    ),
                ),
                ("mrr_minor_before", models.BigIntegerField(help_text="In minor units.")),
                ("mrr_minor_after", models.BigIntegerField(help_text="In minor units.")),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
            options={
                "ordering": ["at", "rank", "id"],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stripe_item_id", models.CharField(max_length=200)),
                ("stripe_price_id", models.CharField(blank=True, max_length=200)),
                ("stripe_product_id", models.CharField(blank=True, max_length=200)),
                ("unit_amount", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ("quantity", models.PositiveBigIntegerField(default=1)),
                (
                    "interval",
                    models.CharField(
                        choices=[("day", "Day"), ("week", "Week"), ("month", "Month"), ("year", "Year")], max_length=8
                    ),
                ),
                ("interval_count", models.PositiveSmallIntegerField(default=1)),
                ("is_metered", models.BooleanField(default=False)),
                ("mrr_minor", models.BigIntegerField(default=0, help_text="Before discounts, in minor units.")),
            ],
            options={
                "ordering": ["subscription", "id"],
            },
        ),
        migrations.AlterModelOptions(
            name="payment",
            options={
                "permissions": [
                    ("export_payments", "Can export the payments"),
                    ("refund_payment", "Can refund payments"),
                ]
            },
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_credits_range",
        ),
        migrations.RemoveIndex(
            model_name="stripeevent",
            name="stripe_event_by_object",
        ),
        migrations.AddField(
            model_name="payment",
            name="charge_as_of",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="charge_refunded_minor",
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="payment",
            name="disputed_minor",
            field=models.BigIntegerField(default=0, help_text="What the bank took back, for now or for good."),
        ),
        migrations.AddField(
            model_name="payment",
            name="failure",
            field=models.CharField(blank=True, help_text="Why it failed, in Stripe's words.", max_length=500),
        ),
        migrations.AddField(
            model_name="payment",
            name="fee_minor",
            field=models.BigIntegerField(help_text="Stripe's fee, in the currency of settlement.", null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="net_minor",
            field=models.BigIntegerField(help_text="What Stripe settled after its fee, in that currency.", null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunded_minor",
            field=models.BigIntegerField(default=0, help_text="What went back to the customer, or is on its way."),
        ),
        migrations.AddField(
            model_name="payment",
            name="settlement_currency",
            field=models.CharField(blank=True, help_text="ISO 4217 code; empty until known.", max_length=3),
        ),
        migrations.AddField(
            model_name="payment",
            name="stripe_invoice_id",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="invoice_id",
            field=models.CharField(blank=True, help_text="The invoice to which that object belongs.", max_length=200),
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="source",
            field=models.CharField(
                choices=[("webhook", "Delivered"), ("sync", "Fetched")], default="webhook", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="subscription_id",
            field=models.CharField(
                blank=True, help_text="The subscription to which that object belongs.", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="credits_purchased",
            field=models.DecimalField(decimal_places=4, default=0, max_digits=18),
        ),
        migrations.AlterField(
            model_name="payment",
            name="paid_at",
            field=models.DateTimeField(help_text="When it was paid; of one that was not, when it was last tried."),
        ),
        migrations.AlterField(
            model_name="payment",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("canceled", "Canceled"),
                    ("refunded", "Refunded"),
                    ("partially_refunded", "Partially refunded"),
                    ("disputed", "Disputed"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="transaction",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment",
                to="credits.credittransaction",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["status", "paid_at", "id"], name="payment_by_status"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("stripe_invoice_id", ""), _negated=True),
                fields=["stripe_invoice_id"],
                name="payment_by_invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("fee_minor__isnull", True),
                    ("status__in", ("succeeded", "refunded", "partially_refunded", "disputed")),
                ),
                fields=["paid_at"],
                name="payment_without_fee",
            ),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("invoice_id", ""), _negated=True),
                fields=["invoice_id"],
                name="stripe_event_by_invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("subscription_id", ""), _negated=True),
                fields=["subscription_id"],
                name="stripe_event_by_subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("object_id", ""), _negated=True),
                fields=["object_id", "stripe_created"],
                name="stripe_event_by_object",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "succeeded", "failed", "canceled", "refunded", "partially_refunded", "disputed"],
                    )
                ),
                name="payment_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_minor__gte", 0), ("refunded_minor__lte", models.F("amount_minor"))),
                name="payment_refunded_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("disputed_minor__gte", 0), ("disputed_minor__lte", models.F("amount_minor"))),
                name="payment_disputed_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ("succeeded", "refunded", "partially_refunded", "disputed")),
                    models.Q(("disputed_minor", 0), ("refunded_minor", 0), ("transaction__isnull", True)),
                    _connector="OR",
                ),
                name="payment_unpaid_moves_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fee_minor__isnull", True), ("net_minor__isnull", True), ("settlement_currency", "")),
                    models.Q(
                        ("fee_minor__isnull", False),
                        ("net_minor__isnull", False),
                        ("settlement_currency__regex", "^[A-Z]{3}$"),
                    ),
                    _connector="OR",
                ),
                name="payment_fee_in_a_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits_purchased__gte", 0), ("credits_purchased__lte", Decimal("1000000000"))),
                name="payment_credits_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credits_purchased__gt", 0), ("transaction__isnull", False)),
                    models.Q(("credits_purchased", 0), ("transaction__isnull", True)),
                    _connector="OR",
                ),
                name="payment_credits_are_booked",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["webhook", "sync"])), name="stripe_event_source_known"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="billing.payment"
            ),
        ),
        migrations.AddIndex(
            model_name="exchangerate",
            index=models.Index(fields=["date", "id"], name="exchange_rate_by_date"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.UniqueConstraint(fields=("base", "quote", "date"), name="exchange_rate_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0), ("rate__lte", 1000000000)),
                name="exchange_rate_range",
                violation_error_message="A rate is more than 0 and at most 1,000,000,000.",
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base__regex", "^[A-Z]{3}$"), ("quote__regex", "^[A-Z]{3}$")),
                name="exchange_rate_currencies_iso",
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base", models.F("quote")), _negated=True),
                name="exchange_rate_of_two",
                violation_error_message="A currency is always worth itself.",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoices",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("monthly_credits__gte", 0), ("monthly_credits__lte", Decimal("1000000000"))),
                name="plan_credits_range",
                violation_error_message="The credits must be from 0 to 1,000,000,000.",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("stripe_product_id__isnull", True),
                    models.Q(("stripe_product_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="plan_product_not_empty",
            ),
        ),
        migrations.AddField(
            model_name="planprice",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="prices", to="billing.plan"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: made in Stripe.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="billing.payment"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                help_text="That of its first item of a plan.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.plan",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.stripeevent"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="plan",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.plan"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="subscription",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="billing.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionitem",
            name="plan",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.plan"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionitem",
            name="subscription",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="billing.subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["opened_at", "id"], name="dispute_by_time"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["status", "opened_at", "id"], name="dispute_by_status"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)), fields=["closed_at"], name="dispute_by_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "warning_needs_response",
                            "warning_under_review",
                            "warning_closed",
                            "needs_response",
                            "under_review",
                            "prevented",
                            "won",
                            "lost",
                        ],
                    )
                ),
                name="dispute_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gte", 1), ("amount_minor__lte", 1000000000000)),
                name="dispute_amount_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fee_currency", ""), ("fee_minor__isnull", True)),
                    ("fee_currency__regex", "^[A-Z]{3}$"),
                    _connector="OR",
                ),
                name="dispute_fee_in_a_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_at__isnull", True),
                    ("status__in", ("warning_closed", "prevented", "won", "lost")),
                    _connector="OR",
                ),
                name="dispute_closed_is_over",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["issued_at", "id"], name="invoice_by_time"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["status", "issued_at", "id"], name="invoice_by_status"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["user", "issued_at", "id"], name="invoice_of_user"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("stripe_subscription_id", ""), _negated=True),
                fields=["stripe_subscription_id"],
                name="invoice_of_subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("number", ""), _negated=True), fields=["number"], name="invoice_by_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "open", "paid", "uncollectible", "void"])),
                name="invoice_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="invoice_currency_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("paid_at__isnull", True), ("status", "paid"), _connector="OR"),
                name="invoice_paid_has_been",
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("stripe_price_id", ""), _negated=True), name="plan_price_id_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__isnull", True),
                    models.Q(("amount_minor__gte", 0), ("amount_minor__lte", 1000000000000)),
                    _connector="OR",
                ),
                name="plan_price_amount_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="plan_price_currency_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("interval__in", ["day", "week", "month", "year"])), name="plan_price_interval_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("interval_count__gte", 1)), name="plan_price_interval_count_range"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["refunded_at", "id"], name="refund_by_time"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)), fields=["next_attempt_at"], name="refund_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "requires_action", "succeeded", "failed", "canceled"])),
                name="refund_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("policy__in", ["claw_back", "leave"])), name="refund_policy_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gte", 1), ("amount_minor__lte", 1000000000000)),
                name="refund_amount_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("stripe_refund_id__isnull", False),
                    models.Q(("actor__isnull", False), ("idempotency_key__isnull", False)),
                    _connector="OR",
                ),
                name="refund_is_of_stripe_or_of_staff",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("failed_at__isnull", True),
                    models.Q(("status__in", ("pending", "requires_action", "succeeded")), _negated=True),
                    _connector="OR",
                ),
                name="refund_failed_has_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["started_at", "id"], name="subscription_by_time"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["status", "started_at", "id"], name="subscription_by_status"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["user", "started_at", "id"], name="subscription_of_user"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "incomplete",
                            "incomplete_expired",
                            "trialing",
                            "active",
                            "past_due",
                            "unpaid",
                            "paused",
                            "canceled",
                        ],
                    )
                ),
                name="subscription_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="subscription_currency_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mrr_minor", 0),
                    models.Q(("mrr_minor__gt", 0), ("status__in", ("active", "past_due"))),
                    _connector="OR",
                ),
                name="subscription_mrr_is_earned",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), ("status__in", ("incomplete_expired", "canceled")), _connector="OR"
                ),
                name="subscription_ended_is_over",
            ),
        ),
        migrations.AddIndex(
            model_name="subscriptionchange",
            index=models.Index(fields=["user", "currency", "at"], name="subscription_change_of_user"),
        ),
        migrations.AddIndex(
            model_name="subscriptionchange",
            index=models.Index(fields=["at"], name="subscription_change_by_time"),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.UniqueConstraint(
                fields=("subscription", "event"), name="subscription_change_once_for_an_event"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("mrr_minor_after__gte", 0), ("mrr_minor_before__gte", 0)),
                name="subscription_change_mrr_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("mrr_minor_after", 0), ("status__in", ("active", "past_due")), _connector="OR"),
                name="subscription_change_mrr_is_earned",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionitem",
            constraint=models.UniqueConstraint(
                fields=("subscription", "stripe_item_id"), name="subscription_item_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("interval__in", ["day", "week", "month", "year"])),
                name="subscription_item_interval_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("interval_count__gte", 1)), name="subscription_item_interval_count_range"
            ),
        ),
    ]
