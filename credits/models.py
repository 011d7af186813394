"""The ledger: accounts, the entries on them, the lots that credits come in, and what drew on each lot.

Entries and draws are append-only, a lot changes in what remains of it and an account in its figures: triggers and
grants see to it (see the migrations). Only credits.services writes here.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT, MAX_BALANCE
from credits.kinds import ADDING, TAKING, TransactionKind


class CreditsField(models.DecimalField):
    """Credits: NUMERIC(18,4)."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_digits", 18)
        kwargs.setdefault("decimal_places", DECIMAL_PLACES)
        super().__init__(*args, **kwargs)


def _within(field: str, low: Decimal | int, high: Decimal | int) -> Q:
    # Both bounds always: NaN passes every lower bound, since PostgreSQL sorts it above all numbers.
    return Q(**{f"{field}__gte": low, f"{field}__lte": high})


class CreditAccount(models.Model):
    """A customer's account, made by the first post. Its row is what every movement locks."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="credit_account"
    )
    balance = CreditsField(default=Decimal(0))
    lots_total = CreditsField(default=Decimal(0))
    seq = models.BigIntegerField(default=0, help_text="Number of the last entry.")
    last_posted_at = models.DateTimeField(null=True, blank=True)
    lifetime_purchased = CreditsField(default=Decimal(0))
    lifetime_consumed = CreditsField(default=Decimal(0))
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_within("lots_total", 0, MAX_BALANCE), name="account_lots_total_range"),
            models.CheckConstraint(condition=Q(balance=F("lots_total")), name="account_balance_is_lots"),
            models.CheckConstraint(condition=Q(seq__gte=0), name="account_seq_range"),
            models.CheckConstraint(
                condition=_within("lifetime_purchased", 0, MAX_BALANCE), name="account_purchased_range"
            ),
            models.CheckConstraint(
                condition=_within("lifetime_consumed", 0, MAX_BALANCE), name="account_consumed_range"
            ),
        ]

    def __str__(self) -> str:
        return f"account of customer {self.user_id}"


class CreditTransaction(models.Model):
    """One entry of the ledger. ``created_at`` orders it, ``event_at`` is when the act happened for reports."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="transactions", db_index=False)
    seq = models.BigIntegerField(help_text="1, 2, 3 ... on each account.")
    kind = models.CharField(max_length=16, choices=TransactionKind)
    action_type = models.CharField(max_length=64, blank=True)
    amount = CreditsField()
    balance_before = CreditsField()
    balance_after = CreditsField()
    description = models.CharField(max_length=500, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Empty: the system.",
    )
    metadata = models.JSONField(default=dict, blank=True)
    event_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        permissions = [
            ("gift_credits", "Can gift credits"),
            ("export_ledger", "Can export the ledger"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="transaction_seq_unique"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="transaction_seq_range"),
            models.CheckConstraint(condition=Q(kind__in=TransactionKind.values), name="transaction_kind_known"),
            models.CheckConstraint(
                condition=_within("amount", -MAX_BALANCE, MAX_BALANCE) & ~Q(amount=0),
                name="transaction_amount_range",
            ),
            models.CheckConstraint(
                condition=(~Q(kind__in=sorted(ADDING)) | Q(amount__gt=0))
                & (~Q(kind__in=sorted(TAKING)) | Q(amount__lt=0)),
                name="transaction_sign_of_kind",
            ),
            models.CheckConstraint(
                condition=Q(balance_after=F("balance_before") + F("amount")),
                name="transaction_balance_adds_up",
            ),
            models.CheckConstraint(
                condition=_within("balance_after", -MAX_BALANCE, MAX_BALANCE),
                name="transaction_balance_range",
            ),
        ]
        indexes = [
            # The ledger list, newest first, whole and by kind.
            models.Index(fields=["created_at", "id"], name="transaction_by_time"),
            models.Index(fields=["kind", "created_at", "id"], name="transaction_by_kind"),
            # The ledger of one customer in the list's order.
            models.Index(fields=["account", "created_at", "id"], name="transaction_by_account"),
            # Reports of usage by what it was for.
            models.Index(fields=["action_type", "event_at"], name="transaction_by_action"),
            # What a member of staff booked; few rows have an actor.
            models.Index(fields=["actor"], condition=Q(actor__isnull=False), name="transaction_by_actor"),
            # From a payment or another cause to its entry.
            models.Index(fields=["reference"], condition=~Q(reference=""), name="transaction_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount:+}"


class CreditLot(models.Model):
    """Credits that came in together: where from, what was paid for all of them, when they lapse, what is left."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="lots", db_index=False)
    transaction = models.OneToOneField(CreditTransaction, models.PROTECT, related_name="lot")
    source_kind = models.CharField(max_length=16, choices=TransactionKind)
    amount = CreditsField()
    remaining = CreditsField()
    priority = models.SmallIntegerField(help_text="The lower, the earlier it is spent.")
    expires_at = models.DateTimeField(null=True, blank=True)
    paid_minor = models.BigIntegerField(null=True, blank=True, help_text="Total paid, in minor units.")
    currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_within("amount", 0, MAX_AMOUNT) & ~Q(amount=0), name="lot_amount_range"),
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
            models.Index(fields=["account"], condition=Q(remaining__gt=0), name="lot_open"),
            # What lapses next, for the sweep that books expiry.
            models.Index(
                fields=["expires_at"], condition=Q(remaining__gt=0, expires_at__isnull=False), name="lot_lapsing"
            ),
            # All lots of an account, for its page and the proof of the ledger.
            models.Index(fields=["account", "id"], name="lot_by_account"),
        ]

    def __str__(self) -> str:
        return f"lot {self.pk}: {self.remaining} of {self.amount}"


class CreditDraw(models.Model):
    """``amount`` credits that a transaction took from a lot; a refund gives back a negative draw."""

    transaction = models.ForeignKey(CreditTransaction, models.PROTECT, related_name="draws")
    lot = models.ForeignKey(CreditLot, models.PROTECT, related_name="draws")
    amount = CreditsField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "lot"], name="draw_once_per_lot"),
            models.CheckConstraint(
                condition=_within("amount", -MAX_AMOUNT, MAX_AMOUNT) & ~Q(amount=0), name="draw_amount_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} from lot {self.lot_id}"


class IdempotencyRecord(models.Model):
    """What a key was first used for and how that ended. Keys live in namespaces, such as ``admin:`` or ``stripe:``."""

    key = models.CharField(max_length=255, primary_key=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request's canonical content.")
    result = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            # Old keys are pruned by age.
            models.Index(fields=["created_at"], name="idempotency_by_age"),
        ]

    def __str__(self) -> str:
        return self.key
