"""Payments: money that a customer paid through Stripe."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT
from credits.models import CreditTransaction

# Twelve digits is Stripe's own limit on an amount.
MAX_MINOR = 10**12


class PaymentStatus(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"


class Payment(models.Model):
    """One payment intent of Stripe's, and the credits that were booked for it in the same transaction."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments", db_index=False)
    stripe_payment_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    stripe_charge_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    amount_minor = models.BigIntegerField(help_text="What was paid, in minor units of the currency.")
    currency = models.CharField(max_length=3, help_text="ISO 4217 code.")
    status = models.CharField(max_length=24, choices=PaymentStatus)
    payment_method_type = models.CharField(max_length=64, blank=True)
    payment_method_brand = models.CharField(max_length=64, blank=True)
    payment_method_last4 = models.CharField(max_length=4, blank=True)
    credits_purchased = models.DecimalField(max_digits=18, decimal_places=DECIMAL_PLACES)
    transaction = models.OneToOneField(CreditTransaction, models.PROTECT, related_name="payment")
    paid_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [("export_payments", "Can export the payments")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1, amount_minor__lte=MAX_MINOR), name="payment_amount_range"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="payment_currency_iso"),
            models.CheckConstraint(
                condition=Q(credits_purchased__gt=0, credits_purchased__lte=MAX_AMOUNT), name="payment_credits_range"
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["paid_at", "id"], name="payment_by_time"),
            # A customer's panel and the sum of what they spent; it also serves the foreign key.
            models.Index(fields=["user", "paid_at", "id"], name="payment_of_user"),
            # Search by ch_ id, and later events that name the charge alone.
            models.Index(fields=["stripe_charge_id"], condition=~Q(stripe_charge_id=""), name="payment_by_charge"),
        ]

    def __str__(self) -> str:
        return self.stripe_payment_id

    @property
    def method(self) -> str:
        """``Visa •••• 4242``, or what is known of it."""
        brand = (self.payment_method_brand or self.payment_method_type).replace("_", " ").capitalize()
        return f"{brand} •••• {self.payment_method_last4}" if self.payment_method_last4 else brand
