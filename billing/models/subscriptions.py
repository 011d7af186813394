"""Subscriptions as Stripe said last, and each change of what they are worth a month."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH, StripeEvent
from billing.models.plans import Plan
from billing.models.statuses import EARNING, SUBSCRIPTION_OVER, Interval, SubscriptionStatus
from billing.models.versions import Versioned

# A stated price may have parts of a minor unit, such as 0.5 cents for each of many.
UNIT_DIGITS, UNIT_PLACES = 24, 12


class Subscription(Versioned):
    """One subscription of a customer, with what it is worth a month (MRR) in minor units of its currency."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="subscriptions", db_index=False)
    stripe_subscription_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    stripe_customer_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    status = models.CharField(max_length=24, choices=SubscriptionStatus)
    plan = models.ForeignKey(
        Plan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="That of its first item of a plan.",
    )
    currency = models.CharField(max_length=3, help_text="ISO 4217 code.")
    mrr_minor = models.BigIntegerField(default=0, help_text="Monthly recurring revenue, in minor units.")
    started_at = models.DateTimeField()
    current_period_start = models.DateTimeField(null=True)
    current_period_end = models.DateTimeField(null=True)
    trial_start = models.DateTimeField(null=True)
    trial_end = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)
    cancel_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True, help_text="When it was said that it ends, which may be later.")
    ended_at = models.DateTimeField(null=True)
    pause_behavior = models.CharField(max_length=32, blank=True, help_text="What becomes of invoices while it pauses.")
    pause_resumes_at = models.DateTimeField(null=True)
    discounts = models.JSONField(default=list, help_text="The recurring ones: percent_off, amount_off, ends.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [("export_subscriptions", "Can export the subscriptions")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SubscriptionStatus.values), name="subscription_status_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="subscription_currency_iso"),
            models.CheckConstraint(
                condition=Q(mrr_minor=0) | Q(mrr_minor__gt=0, status__in=EARNING), name="subscription_mrr_is_earned"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(status__in=SUBSCRIPTION_OVER), name="subscription_ended_is_over"
            ),
        ]
        indexes = [
            # The list, newest first, whole and by status.
            models.Index(fields=["started_at", "id"], name="subscription_by_time"),
            models.Index(fields=["status", "started_at", "id"], name="subscription_by_status"),
            # The list of those that are about to end.
            models.Index(
                fields=["started_at", "id"],
                condition=Q(cancel_at_period_end=True, ended_at__isnull=True),
                name="subscription_leaving",
            ),
            # The list by plan; it also serves the foreign key.
            models.Index(fields=["plan", "started_at", "id"], name="subscription_by_plan"),
            # A customer's panel; it also serves the foreign key.
            models.Index(fields=["user", "started_at", "id"], name="subscription_of_user"),
            # What a discount of a whole customer counts for; search by cus_ id.
            models.Index(
                fields=["stripe_customer_id"], condition=~Q(stripe_customer_id=""), name="subscription_by_customer"
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_subscription_id


class SubscriptionItem(models.Model):
    """One price within a subscription, so many times."""

    # The unique constraint below serves it.
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="items", db_index=False)
    stripe_item_id = models.CharField(max_length=STRIPE_ID_LENGTH)
    stripe_price_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    stripe_product_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, related_name="+")
    # Null: by use or in tiers, so nobody knows beforehand.
    unit_amount = models.DecimalField(max_digits=UNIT_DIGITS, decimal_places=UNIT_PLACES, null=True)
    quantity = models.PositiveBigIntegerField(default=1)
    interval = models.CharField(max_length=8, choices=Interval)
    interval_count = models.PositiveSmallIntegerField(default=1)
    is_metered = models.BooleanField(default=False)
    mrr_minor = models.BigIntegerField(default=0, help_text="Before discounts, in minor units.")

    class Meta:
        ordering = ["subscription", "id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "stripe_item_id"], name="subscription_item_unique"),
            models.CheckConstraint(condition=Q(interval__in=Interval.values), name="subscription_item_interval_known"),
            models.CheckConstraint(condition=Q(interval_count__gte=1), name="subscription_item_interval_count_range"),
        ]

    def __str__(self) -> str:
        return self.stripe_item_id


class SubscriptionChange(models.Model):
    """What a subscription was worth a month before and after one event of Stripe's.

    One for each event that told of the subscription, in the order of Stripe's time whatever the order they came in:
    what is late is put in its place, and the change after it follows from it. So a change outlives its event's content.
    """

    # The unique constraint below serves it.
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="changes", db_index=False)
    event = models.ForeignKey(StripeEvent, models.PROTECT, related_name="+")
    # Those of the subscription, beside the change: movements are summed over customers and currencies.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3, help_text="ISO 4217 code.")
    at = models.DateTimeField(help_text="When it happened, by Stripe's clock.")
    rank = models.SmallIntegerField(help_text="The order within one second: by type, then by what each found.")
    status = models.CharField(max_length=24, choices=SubscriptionStatus)
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="+")
    mrr_minor_before = models.BigIntegerField(help_text="In minor units.")
    mrr_minor_after = models.BigIntegerField(help_text="In minor units.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["at", "rank", "id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event"], name="subscription_change_once_for_an_event"),
            models.CheckConstraint(
                condition=Q(mrr_minor_before__gte=0, mrr_minor_after__gte=0), name="subscription_change_mrr_range"
            ),
            models.CheckConstraint(
                condition=Q(mrr_minor_after=0) | Q(status__in=EARNING), name="subscription_change_mrr_is_earned"
            ),
        ]
        indexes = [
            # What a customer was worth before a period, and each movement since.
            models.Index(fields=["user", "currency", "at"], name="subscription_change_of_user"),
            # The movements of a period.
            models.Index(fields=["at"], name="subscription_change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.mrr_minor_before} to {self.mrr_minor_after} {self.currency}"
