"""The lots that credits come in, and what drew on each."""

from django.db import models
from django.db.models import F, Q

from backoffice.lib.money import format_credits
from credits.amounts import MAX_AMOUNT
from credits.kinds import TransactionKind
from credits.models.accounts import CreditAccount
from credits.models.entries import CreditTransaction
from credits.models.fields import CreditsField, within


class CreditLot(models.Model):
    """Credits that came in together: where from, what was paid for all of them, when they lapse, what is left."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="lots", db_index=False)
    transaction = models.ForeignKey(CreditTransaction, models.PROTECT, related_name="lots")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        db_index=False,
        help_text="The lot by which these credits first came in.",
    )
    source_kind = models.CharField(max_length=16, choices=TransactionKind)
    amount = CreditsField()
    remaining = CreditsField()
    priority = models.SmallIntegerField(help_text="The lower, the earlier it is spent.")
    expires_at = models.DateTimeField(null=True, blank=True)
    paid_minor = models.BigIntegerField(null=True, blank=True, help_text="Total paid, in minor units.")
    currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField()
    # Indexes are limited by this and not by what remains: it seldom changes, so most draws leave them alone.
    is_open = models.GeneratedField(
        expression=models.ExpressionWrapper(Q(remaining__gt=0), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=within("amount", 0, MAX_AMOUNT) & ~Q(amount=0), name="lot_amount_range"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")), name="lot_remaining_range"
            ),
            models.CheckConstraint(
                condition=Q(paid_minor__isnull=True, currency="") | Q(paid_minor__gte=0, currency__regex=r"^[A-Z]{3}$"),
                name="lot_paid_in_a_currency",
            ),
            models.CheckConstraint(condition=Q(source_kind__in=TransactionKind.values), name="lot_source_known"),
        ]
        indexes = [
            # What each post loads under the account's lock, and the open lots of a customer's page.
            models.Index(fields=["account"], condition=Q(is_open=True), name="lot_open"),
            # What lapses next, for the sweep that books expiry.
            models.Index(
                fields=["expires_at"], condition=Q(is_open=True, expires_at__isnull=False), name="lot_lapsing"
            ),
            # All lots of an account, for its page and the proof of the ledger.
            models.Index(fields=["account", "id"], name="lot_by_account"),
            # The list of lots, newest first, whole, by source and by whether something is left.
            models.Index(fields=["created_at", "id"], name="lot_by_time"),
            models.Index(fields=["source_kind", "created_at", "id"], name="lot_by_source"),
            models.Index(fields=["is_open", "created_at", "id"], name="lot_by_openness"),
            # What came back of a lot, for a clawback of its purchase and the explanation of a balance.
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="lot_by_parent"),
        ]

    def __str__(self) -> str:
        return f"Lot {self.pk}: {format_credits(self.remaining)} of {format_credits(self.amount)} left"


class CreditDraw(models.Model):
    """``amount`` credits that a transaction took from a lot; a refund gives back a negative draw.

    A clawback that left a debt goes on drawing, each time that credits come in or come free.
    """

    transaction = models.ForeignKey(CreditTransaction, models.PROTECT, related_name="draws")
    lot = models.ForeignKey(CreditLot, models.PROTECT, related_name="draws")
    amount = CreditsField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=within("amount", -MAX_AMOUNT, MAX_AMOUNT) & ~Q(amount=0), name="draw_amount_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} from lot {self.lot_id}"
