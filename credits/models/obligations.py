"""What is owed on an account: debts to us, and credits reserved for work that is running."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from backoffice.lib.money import format_credits
from credits.amounts import MAX_AMOUNT
from credits.kinds import HoldState
from credits.models.accounts import CreditAccount
from credits.models.entries import CreditTransaction
from credits.models.fields import CreditsField, within


class CreditDebt(models.Model):
    """What a clawback could not find in the lots; whatever comes in later pays it first."""

    transaction = models.OneToOneField(CreditTransaction, models.PROTECT, related_name="debt")
    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="debts", db_index=False)
    amount = CreditsField()
    remaining = CreditsField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=within("amount", 0, MAX_AMOUNT) & ~Q(amount=0), name="debt_amount_range"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")), name="debt_remaining_range"
            ),
        ]
        indexes = [
            # What each post on an account in debt loads under its lock, and the proof of the ledger.
            models.Index(fields=["account", "id"], name="debt_by_account"),
            # The list of debts, newest first, whole and of those that are not paid.
            models.Index(fields=["created_at", "id"], name="debt_by_time"),
            models.Index(fields=["created_at", "id"], condition=Q(remaining__gt=0), name="debt_open_by_time"),
        ]

    def __str__(self) -> str:
        return f"Debt: {format_credits(self.remaining)} of {format_credits(self.amount)} owed"


class CreditHold(models.Model):
    """Credits reserved for work that is running: captured when it succeeds, released when it does not."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="holds", db_index=False)
    amount = CreditsField()
    state = models.CharField(max_length=16, choices=HoldState, default=HoldState.OPEN)
    reference = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField()
    captured = CreditsField(default=Decimal(0), help_text="What was spent of it; the rest was released.")
    transaction = models.OneToOneField(
        CreditTransaction,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hold",
        help_text="The usage that captured it.",
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # 0 for demo customers, who are never charged.
            models.CheckConstraint(condition=within("amount", 0, MAX_AMOUNT), name="hold_amount_range"),
            models.CheckConstraint(condition=Q(captured__gte=0, captured__lte=F("amount")), name="hold_captured_range"),
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="hold_state_known"),
            models.CheckConstraint(
                condition=Q(state=HoldState.OPEN, closed_at__isnull=True)
                | (~Q(state=HoldState.OPEN) & Q(closed_at__isnull=False)),
                name="hold_closed_when_not_open",
            ),
            models.CheckConstraint(
                condition=Q(captured=0, transaction__isnull=True)
                | Q(captured__gt=0, transaction__isnull=False, state=HoldState.CAPTURED),
                name="hold_captured_by_an_entry",
            ),
        ]
        indexes = [
            # What each post on an account that holds something loads under its lock.
            models.Index(fields=["account"], condition=Q(state="open"), name="hold_open"),
            # What expires next, for the sweep.
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="hold_expiring"),
            # The list of holds, newest first, whole, by state and of one customer.
            models.Index(fields=["created_at", "id"], name="hold_by_time"),
            models.Index(fields=["state", "created_at", "id"], name="hold_by_state"),
            models.Index(fields=["account", "created_at", "id"], name="hold_by_account"),
            # From the product's own name of a piece of work to its hold.
            models.Index(fields=["reference"], condition=~Q(reference=""), name="hold_by_reference"),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}: {format_credits(self.amount)} ({self.state})"
