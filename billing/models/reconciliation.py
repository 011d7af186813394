"""How much does not add up between Stripe's payments and the ledger, counted every few minutes."""

from django.db import models
from django.db.models import Q

from backoffice.lib import clock


class ReconciliationCount(models.Model):
    """One row, since the sidebar cannot hold payments against the ledger each time that a page is opened."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_at = models.DateTimeField(default=clock.now)
    credited_not_paid = models.PositiveIntegerField(help_text="Purchases in the ledger without a payment.")
    out_of_balance = models.PositiveIntegerField(help_text="Payments whose credits do not fit what went back of them.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="reconciliation_count_is_one_row")]

    def __str__(self) -> str:
        return f"reconciliation of {self.counted_at:%Y-%m-%d %H:%M}"
