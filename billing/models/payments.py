"""Payments: money that a customer paid through Stripe, or tried to."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH
from billing.models.statuses import PAID, PaymentStatus
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT
from credits.models import CreditTransaction

# Twelve digits is Stripe's own limit on an amount.
MAX_MINOR = 10**12
# Brands of cards that are written otherwise than a word is.
BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
}
BOOKED = Q(transaction__isnull=False, credits_purchased__gt=0) | Q(transaction__isnull=True, credits_purchased=0)


class Payment(models.Model):
    """One payment intent of Stripe's, and the credits that were booked for it in the same transaction.

    What pays an invoice buys no credits by itself: its subscription's allowance comes by the invoice.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments", db_index=False)
    stripe_payment_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    stripe_charge_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    stripe_invoice_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    amount_minor = models.BigIntegerField(help_text="What was paid, in minor units of the currency.")
    refunded_minor = models.BigIntegerField(default=0, help_text="What went back to the customer, or is on its way.")
    disputed_minor = models.BigIntegerField(default=0, help_text="What the bank took back, for now or for good.")
    fee_minor = models.BigIntegerField(null=True, help_text="Stripe's fee, in the currency of settlement.")
    net_minor = models.BigIntegerField(null=True, help_text="What Stripe settled after its fee, in that currency.")
    settlement_currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217 code; empty until known.")
    currency = models.CharField(max_length=3, help_text="ISO 4217 code.")
    status = models.CharField(max_length=24, choices=PaymentStatus)
    failure = models.CharField(max_length=500, blank=True, help_text="Why it failed, in Stripe's words.")
    payment_method_type = models.CharField(max_length=64, blank=True)
    payment_method_brand = models.CharField(max_length=64, blank=True)
    payment_method_last4 = models.CharField(max_length=4, blank=True)
    credits_purchased = models.DecimalField(max_digits=18, decimal_places=DECIMAL_PLACES, default=0)
    transaction = models.OneToOneField(CreditTransaction, models.PROTECT, null=True, related_name="payment")
    paid_at = models.DateTimeField(help_text="When it was paid; of one that was not, when it was last tried.")
    # What the charge said last of its refunds, since when it says so, and when it did last: refunds that failed after
    # that are no longer in it.
    charge_refunded_minor = models.BigIntegerField(default=0, editable=False)
    charge_refunded_at = models.DateTimeField(null=True, editable=False)
    charge_as_of = models.DateTimeField(null=True, editable=False)
    fee_due_at = models.DateTimeField(
        default=clock.now,
        db_default=Now(),
        editable=False,
        help_text="When Stripe is asked for its fee, until that is known.",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [
            ("export_payments", "Can export the payments"),
            ("refund_payment", "Can refund payments"),
            ("reconcile", "Can reconcile payments with the ledger"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1, amount_minor__lte=MAX_MINOR), name="payment_amount_range"
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
                name="payment_refunded_range",
            ),
            models.CheckConstraint(
                condition=Q(disputed_minor__gte=0, disputed_minor__lte=F("amount_minor")),
                name="payment_disputed_range",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PAID) | Q(refunded_minor=0, disputed_minor=0, transaction__isnull=True),
                name="payment_unpaid_moves_nothing",
            ),
            models.CheckConstraint(
                condition=Q(charge_refunded_minor=0, charge_refunded_at__isnull=True)
                | Q(charge_refunded_minor__gt=0, charge_refunded_at__isnull=False),
                name="payment_refunded_by_charge_has_its_day",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="payment_currency_iso"),
            models.CheckConstraint(
                condition=Q(fee_minor__isnull=True, net_minor__isnull=True, settlement_currency="")
                | Q(fee_minor__isnull=False, net_minor__isnull=False, settlement_currency__regex=r"^[A-Z]{3}$"),
                name="payment_fee_in_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(credits_purchased__gte=0, credits_purchased__lte=MAX_AMOUNT), name="payment_credits_range"
            ),
            models.CheckConstraint(condition=BOOKED, name="payment_credits_are_booked"),
        ]
        indexes = [
            # The list, newest first, whole and by status.
            models.Index(fields=["paid_at", "id"], name="payment_by_time"),
            models.Index(fields=["status", "paid_at", "id"], name="payment_by_status"),
            # A customer's panel and the sum of what they spent; it also serves the foreign key.
            models.Index(fields=["user", "paid_at", "id"], name="payment_of_user"),
            # Search by ch_ id, and later events that name the charge alone.
            models.Index(fields=["stripe_charge_id"], condition=~Q(stripe_charge_id=""), name="payment_by_charge"),
            # What paid an invoice.
            models.Index(fields=["stripe_invoice_id"], condition=~Q(stripe_invoice_id=""), name="payment_by_invoice"),
            # Reconciliation: those of which money went back, by when that last changed.
            models.Index(
                fields=["updated_at"],
                condition=Q(transaction__isnull=False) & (Q(refunded_minor__gt=0) | Q(disputed_minor__gt=0)),
                name="payment_money_back",
            ),
            # Revenue counts what went back by the charge alone when the charge first said so.
            models.Index(
                fields=["charge_refunded_at"],
                condition=Q(charge_refunded_minor__gt=0),
                name="payment_refunded_by_charge",
            ),
            # Whose fee is still to be asked of Stripe, the longest due first.
            models.Index(
                fields=["fee_due_at"], condition=Q(fee_minor__isnull=True, status__in=PAID), name="payment_without_fee"
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_payment_id

    @property
    def kept_minor(self) -> int:
        """What is left of it for us before fees, in minor units of its currency."""
        return max(0, self.amount_minor - self.refunded_minor - self.disputed_minor) if self.status in PAID else 0

    @property
    def gone_minor(self) -> int:
        """What went back of it by refunds and disputes, in minor units of its currency."""
        return min(self.amount_minor, self.refunded_minor + self.disputed_minor)

    @property
    def method(self) -> str:
        """``Visa •••• 4242``, or what is known of it."""
        known = self.payment_method_brand or self.payment_method_type
        brand = BRANDS.get(known) or known.replace("_", " ").capitalize()
        return f"{brand} •••• {self.payment_method_last4}" if self.payment_method_last4 else brand
