"""Money that went back: refunds, which we gave, and disputes, by which the customer's bank took it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH
from billing.models.payments import MAX_MINOR, Payment
from billing.models.statuses import DISPUTE_OVER, GOING_BACK, CreditPolicy, DisputeStatus, RefundStatus
from billing.models.versions import Versioned


class Refund(Versioned):
    """One refund of a payment, asked for by staff here or made in Stripe.

    One that was asked for here exists before Stripe is called, so that it counts against what is left of the payment;
    until Stripe has answered it has no id of Stripe's.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    stripe_refund_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True, null=True, blank=True)
    # Under this Stripe was asked; of one that was made in Stripe, empty.
    idempotency_key = models.CharField(max_length=255, unique=True, null=True, blank=True)
    amount_minor = models.BigIntegerField(help_text="In minor units of the payment's currency.")
    status = models.CharField(max_length=16, choices=RefundStatus, default=RefundStatus.PENDING)
    policy = models.CharField(max_length=16, choices=CreditPolicy, default=CreditPolicy.CLAW_BACK)
    reason = models.TextField(blank=True, help_text="Why, in the words of who asked for it.")
    stripe_reason = models.CharField(max_length=64, blank=True)
    failure = models.CharField(max_length=500, blank=True, help_text="Why it failed, in Stripe's words.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: made in Stripe.",
    )
    # The sweep takes it up then, until it is known whether Stripe has made it.
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    refunded_at = models.DateTimeField(help_text="When Stripe made it; until that is known, when it was asked for.")
    failed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [("export_refunds", "Can export the refunds")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.CheckConstraint(condition=Q(policy__in=CreditPolicy.values), name="refund_policy_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1, amount_minor__lte=MAX_MINOR), name="refund_amount_range"
            ),
            models.CheckConstraint(
                condition=Q(stripe_refund_id__isnull=False) | Q(idempotency_key__isnull=False, actor__isnull=False),
                name="refund_is_of_stripe_or_of_staff",
            ),
            models.CheckConstraint(
                condition=Q(failed_at__isnull=True) | ~Q(status__in=GOING_BACK), name="refund_failed_has_failed"
            ),
        ]
        indexes = [
            # The list, newest first, whole and by status; reports by day.
            models.Index(fields=["refunded_at", "id"], name="refund_by_time"),
            models.Index(fields=["status", "refunded_at", "id"], name="refund_by_status"),
            # What the sweep takes up.
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="refund_due"),
        ]

    def __str__(self) -> str:
        return self.stripe_refund_id or f"refund {self.pk}"

    @property
    def is_going_back(self) -> bool:
        """Whether the money is on its way to the customer, or there."""
        return self.status in GOING_BACK


class Dispute(Versioned):
    """A payment that its payer contests at their bank. An inquiry (warning) has taken no money yet."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    amount_minor = models.BigIntegerField(help_text="In minor units of the payment's currency.")
    status = models.CharField(max_length=32, choices=DisputeStatus)
    reason = models.CharField(max_length=64, blank=True)
    fee_minor = models.BigIntegerField(null=True, help_text="Stripe's fee for it, in the currency of settlement.")
    fee_currency = models.CharField(max_length=3, blank=True)
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [("export_disputes", "Can export the disputes")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DisputeStatus.values), name="dispute_status_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1, amount_minor__lte=MAX_MINOR), name="dispute_amount_range"
            ),
            models.CheckConstraint(
                condition=Q(fee_minor__isnull=True, fee_currency="") | Q(fee_currency__regex=r"^[A-Z]{3}$"),
                name="dispute_fee_in_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(status__in=DISPUTE_OVER), name="dispute_closed_is_over"
            ),
        ]
        indexes = [
            # The list, newest first, whole and by status; the badge counts by status.
            models.Index(fields=["opened_at", "id"], name="dispute_by_time"),
            models.Index(fields=["status", "opened_at", "id"], name="dispute_by_status"),
            # Reports count a lost one on the day it was lost.
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="dispute_by_end"),
        ]

    def __str__(self) -> str:
        return self.stripe_dispute_id
