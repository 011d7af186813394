"""Plans: what a subscription gives each month, and the prices at which it is sold."""

from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH
from billing.models.packs import validate_currency
from billing.models.payments import MAX_MINOR
from billing.models.statuses import Interval
from billing.models.versions import Versioned
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT


class Plan(Versioned):
    """A tier that customers subscribe to. Items of a subscription stand for it by their price or their product.

    What Stripe says of its name and credits is kept beside them: as long as they are equal, nobody of the staff has
    written something else, and they follow Stripe.
    """

    key = models.SlugField(
        max_length=64, unique=True, help_text="Such as pro. It is written beside each customer who has the plan."
    )
    name = models.CharField(max_length=120)
    monthly_credits = models.DecimalField(
        max_digits=18,
        decimal_places=DECIMAL_PLACES,
        default=0,
        help_text="The allowance of a month, for each unit of quantity. 0: none.",
    )
    trial_credits = models.DecimalField(
        max_digits=18,
        decimal_places=DECIMAL_PLACES,
        null=True,
        blank=True,
        help_text="The allowance of a trial, for each unit of quantity. Empty: that of a month.",
    )
    stripe_product_id = models.CharField(
        "Stripe product",
        max_length=STRIPE_ID_LENGTH,
        unique=True,
        null=True,
        blank=True,
        help_text="Such as prod_TSc1xq. Every price of it counts as this plan.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Whether it is for sale.")
    position = models.PositiveSmallIntegerField(default=0, help_text="The lower, the further up.")
    stripe_name = models.CharField(max_length=120, blank=True, editable=False)
    stripe_credits = models.DecimalField(
        max_digits=18, decimal_places=DECIMAL_PLACES, null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        permissions = [("export_plans", "Can export the plans")]
        constraints = [
            models.CheckConstraint(
                condition=Q(monthly_credits__gte=0, monthly_credits__lte=MAX_AMOUNT),
                name="plan_credits_range",
                violation_error_message="The credits must be from 0 to 1,000,000,000.",
            ),
            models.CheckConstraint(
                condition=Q(trial_credits__isnull=True) | Q(trial_credits__gte=0, trial_credits__lte=MAX_AMOUNT),
                name="plan_trial_credits_range",
                violation_error_message="The credits must be from 0 to 1,000,000,000.",
            ),
            models.CheckConstraint(
                condition=Q(stripe_product_id__isnull=True) | ~Q(stripe_product_id=""), name="plan_product_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanPrice(Versioned):
    """A price of Stripe's at which a plan is sold: so much every so many days, weeks, months or years."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="prices")
    stripe_price_id = models.CharField("Stripe price", max_length=STRIPE_ID_LENGTH, unique=True)
    amount_minor = models.BigIntegerField(
        "amount", null=True, blank=True, help_text="In minor units; empty if it is billed by use or in tiers."
    )
    currency = models.CharField(max_length=3, validators=[validate_currency])
    interval = models.CharField(max_length=8, choices=Interval)
    interval_count = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField("active", default=True, help_text="Whether Stripe still sells at it.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["plan", "currency", "interval", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(stripe_price_id=""), name="plan_price_id_not_empty"),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(amount_minor__gte=0, amount_minor__lte=MAX_MINOR),
                name="plan_price_amount_range",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="plan_price_currency_iso"),
            models.CheckConstraint(condition=Q(interval__in=Interval.values), name="plan_price_interval_known"),
            models.CheckConstraint(condition=Q(interval_count__gte=1), name="plan_price_interval_count_range"),
        ]

    def __str__(self) -> str:
        return self.stripe_price_id
