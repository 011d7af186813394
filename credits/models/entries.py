"""The entries of the ledger."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib.money import format_credits
from credits.amounts import MAX_BALANCE
from credits.kinds import ADDING, CLAWBACKS, GIVING_BACK, TAKING, TransactionKind
from credits.models.accounts import CreditAccount
from credits.models.fields import CreditsField, within


class CreditTransaction(models.Model):
    """One entry of the ledger. ``created_at`` orders it, ``event_at`` is when the act happened for reports."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="transactions", db_index=False)
    # No column of its own: the account's id is its customer's. By way of the account, a file of all entries takes twice
    # as long.
    customer = models.ForeignObject(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        from_fields=["account"],
        to_fields=["id"],
        related_name="+",
        editable=False,
    )
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
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
        db_index=False,
        help_text="The entry that this one gives back or takes back.",
    )
    metadata = models.JSONField(default=dict, blank=True)
    event_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        permissions = [
            ("gift_credits", "Can gift credits"),
            ("adjust_credits", "Can adjust balances and reverse entries"),
            ("refund_usage", "Can refund usage"),
            ("export_ledger", "Can export the ledger"),
            ("export_statement", "Can take along the statement of a customer"),
            ("adjust_allowance", "Can adjust monthly allowances"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="transaction_seq_unique"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="transaction_seq_range"),
            models.CheckConstraint(condition=Q(kind__in=TransactionKind.values), name="transaction_kind_known"),
            models.CheckConstraint(
                condition=within("amount", -MAX_BALANCE, MAX_BALANCE) & ~Q(amount=0),
                name="transaction_amount_range",
            ),
            models.CheckConstraint(
                condition=(~Q(kind__in=sorted(ADDING)) | Q(amount__gt=0))
                & (~Q(kind__in=sorted(TAKING)) | Q(amount__lt=0)),
                name="transaction_sign_of_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=sorted(GIVING_BACK | CLAWBACKS)) | Q(reverses__isnull=False),
                name="transaction_names_what_it_reverses",
            ),
            models.CheckConstraint(
                condition=Q(balance_after=F("balance_before") + F("amount")),
                name="transaction_balance_adds_up",
            ),
            models.CheckConstraint(
                condition=within("balance_after", -MAX_BALANCE, MAX_BALANCE),
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
            # What gave an entry back, summed under the lock before more is given.
            models.Index(fields=["reverses"], condition=Q(reverses__isnull=False), name="transaction_by_reversed"),
            # From a payment or another cause to its entry.
            models.Index(fields=["reference"], condition=~Q(reference=""), name="transaction_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {'+' if self.amount > 0 else ''}{format_credits(self.amount)}"
