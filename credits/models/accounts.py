"""A customer's account."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from credits.amounts import MAX_AMOUNT, MAX_BALANCE
from credits.models.fields import FigureField, within


class CreditAccount(models.Model):
    """A customer's account, made by the first act. Its row is what every movement locks.

    The figures have defaults in the database too: a function there makes accounts that are missing.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="credit_account"
    )
    balance = FigureField()
    held = FigureField(help_text="Reserved by open holds.")
    debt = FigureField(help_text="What clawbacks could not find in the lots.")
    lots_total = FigureField()
    seq = models.BigIntegerField(default=0, db_default=0, help_text="Number of the last entry.")
    last_posted_at = models.DateTimeField(null=True, blank=True)
    lifetime_purchased = FigureField()
    lifetime_consumed = FigureField(help_text="Usage less refunds.")
    current_period_consumed = FigureField(help_text="Usage less refunds since the period began.")
    period_started_at = models.DateTimeField(null=True, blank=True)
    period_seq = models.BigIntegerField(
        default=0, db_default=0, help_text="Number of the last entry before the period."
    )
    monthly_allowance = FigureField()
    allowance_anchor = models.DateTimeField(
        null=True, blank=True, help_text="Start of the first period: resets fall on its day of the month."
    )
    next_reset_at = models.DateTimeField(null=True, blank=True)
    allowance_paid_until = models.DateTimeField(null=True, blank=True, help_text="Empty: without end.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=within("lots_total", 0, MAX_BALANCE), name="account_lots_total_range"),
            models.CheckConstraint(condition=within("debt", 0, MAX_BALANCE), name="account_debt_range"),
            models.CheckConstraint(condition=within("held", 0, F("lots_total")), name="account_held_range"),
            models.CheckConstraint(
                condition=Q(balance=F("lots_total") - F("debt")), name="account_balance_is_lots_less_debt"
            ),
            models.CheckConstraint(
                condition=Q(debt=0) | Q(lots_total__lte=F("held")), name="account_debt_is_paid_before_spending"
            ),
            models.CheckConstraint(condition=Q(seq__gte=0), name="account_seq_range"),
            models.CheckConstraint(
                condition=within("lifetime_purchased", 0, MAX_BALANCE), name="account_purchased_range"
            ),
            models.CheckConstraint(
                condition=within("lifetime_consumed", 0, MAX_BALANCE), name="account_consumed_range"
            ),
            models.CheckConstraint(
                # Below zero when what is refunded was spent in an earlier period.
                condition=within("current_period_consumed", -MAX_BALANCE, MAX_BALANCE),
                name="account_period_consumed_range",
            ),
            models.CheckConstraint(
                condition=within("monthly_allowance", 0, MAX_AMOUNT), name="account_allowance_range"
            ),
        ]
        indexes = [
            # Whose allowance is due, for the sweep that resets them.
            models.Index(fields=["next_reset_at"], condition=Q(next_reset_at__isnull=False), name="account_resets"),
        ]

    def __str__(self) -> str:
        return f"account of customer {self.user_id}"
