"""Invoices, as Stripe said last."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH
from billing.models.statuses import InvoiceStatus
from billing.models.versions import Versioned
from credits.amounts import DECIMAL_PLACES


class Invoice(Versioned):
    """One invoice of a customer. Amounts are in minor units of its currency; a credit note makes some of them negative.

    What paid it and what it belongs to are named by Stripe's ids: either may be told of before the other.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="invoices", db_index=False)
    stripe_invoice_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    stripe_subscription_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True)
    number = models.CharField(max_length=64, blank=True, help_text="As the customer reads it; empty of a draft.")
    status = models.CharField(max_length=16, choices=InvoiceStatus)
    billing_reason = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3, help_text="ISO 4217 code.")
    subtotal_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    amount_due_minor = models.BigIntegerField(default=0)
    amount_paid_minor = models.BigIntegerField(default=0)
    hosted_url = models.URLField(max_length=1000, blank=True)
    attempt_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="When Stripe tries to collect it again.")
    period_start = models.DateTimeField(null=True, help_text="Of what it was made out for.")
    period_end = models.DateTimeField(null=True)
    monthly_credits = models.DecimalField(
        max_digits=18,
        decimal_places=DECIMAL_PLACES,
        null=True,
        help_text="What it adds to the allowance of its period, for each month; empty until that is granted.",
    )
    # Under this start the ledger knows the allowance of the period; all invoices of a period share it.
    allowance_start = models.DateTimeField(null=True, editable=False)
    issued_at = models.DateTimeField(help_text="When Stripe made it.")
    due_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [
            ("read_paymentmethods", "Can read the payment methods of customers in Stripe"),
            ("export_invoices", "Can export the invoices"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="invoice_status_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="invoice_currency_iso"),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=True) | Q(status=InvoiceStatus.PAID), name="invoice_paid_has_been"
            ),
            models.CheckConstraint(
                condition=Q(monthly_credits__isnull=True, allowance_start__isnull=True)
                | Q(monthly_credits__isnull=False, allowance_start__isnull=False, status=InvoiceStatus.PAID),
                name="invoice_grants_once_paid",
            ),
        ]
        indexes = [
            # The list, newest first, whole and by status.
            models.Index(fields=["issued_at", "id"], name="invoice_by_time"),
            models.Index(fields=["status", "issued_at", "id"], name="invoice_by_status"),
            # A customer's panel; it also serves the foreign key.
            models.Index(fields=["user", "issued_at", "id"], name="invoice_of_user"),
            # Those of a subscription.
            models.Index(
                fields=["stripe_subscription_id"],
                condition=~Q(stripe_subscription_id=""),
                name="invoice_of_subscription",
            ),
            # Search by the number that the customer reads out.
            models.Index(fields=["number"], condition=~Q(number=""), name="invoice_by_number"),
        ]

    def __str__(self) -> str:
        return self.number or self.stripe_invoice_id
