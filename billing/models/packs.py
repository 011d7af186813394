"""Packs: what a customer can buy."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from backoffice.lib import clock, money
from billing.models.events import STRIPE_ID_LENGTH
from billing.models.payments import MAX_MINOR
from billing.models.versions import Versioned
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT


def validate_currency(code: str) -> None:
    """Raise ValidationError unless ``code`` is an ISO 4217 code in capitals."""
    if code != code.upper() or not money.is_currency(code):
        raise ValidationError("The currency is a code of three capital letters, such as USD.")


class CreditPack(Versioned):
    """So many credits at a price. Line items of a Stripe price stand for the pack that carries its id.

    What Stripe says of its credits is kept beside them: as long as they are equal, nobody of the staff has written
    something else, and they follow Stripe.
    """

    name = models.CharField(max_length=120)
    credits = models.DecimalField(max_digits=18, decimal_places=DECIMAL_PLACES)
    price_minor = models.BigIntegerField("price", help_text="In minor units of the currency: 1000 is $10.00.")
    currency = models.CharField(
        max_length=3, validators=[validate_currency], help_text="A code of three capital letters, such as USD."
    )
    stripe_price_id = models.CharField(
        "Stripe price",
        max_length=STRIPE_ID_LENGTH,
        unique=True,
        null=True,
        blank=True,
        help_text="Such as price_1Nv0FGQ9RKHgCVdK. What is bought at this price counts as this pack.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Whether it is for sale.")
    position = models.PositiveSmallIntegerField(default=0, help_text="The lower, the further up.")
    stripe_credits = models.DecimalField(
        max_digits=18, decimal_places=DECIMAL_PLACES, null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        permissions = [("export_creditpacks", "Can export the credit packs")]
        constraints = [
            models.CheckConstraint(
                condition=Q(credits__gt=0, credits__lte=MAX_AMOUNT),
                name="pack_credits_range",
                violation_error_message="The credits must be more than 0 and at most 1,000,000,000.",
            ),
            models.CheckConstraint(
                condition=Q(stripe_credits__isnull=True) | Q(stripe_credits__gt=0, stripe_credits__lte=MAX_AMOUNT),
                name="pack_stripe_credits_range",
            ),
            models.CheckConstraint(
                condition=Q(price_minor__gte=0, price_minor__lte=MAX_MINOR),
                name="pack_price_range",
                violation_error_message="The price must be from 0 to 1,000,000,000,000.",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="pack_currency_iso"),
            models.CheckConstraint(
                condition=Q(stripe_price_id__isnull=True) | ~Q(stripe_price_id=""), name="pack_price_id_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.name
