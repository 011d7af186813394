"""What the cards above the customers list say."""

from django.db import models
from django.db.models import Q

from backoffice.lib import clock


class CustomerTotals(models.Model):
    """All customers added up, every few minutes: one row, since no page adds up a million of them while someone waits.

    Staff and demo customers do not count.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_at = models.DateTimeField(default=clock.now)
    customers = models.BigIntegerField()
    joined_lately = models.BigIntegerField(help_text="In the 30 days before.")
    joined_before = models.BigIntegerField(help_text="In the 30 days before those.")
    paying = models.BigIntegerField(help_text="With a net spend above zero.")
    average_balance = models.DecimalField(max_digits=18, decimal_places=4, help_text="Credits.")
    spend_minor = models.BigIntegerField(help_text="Net succeeded payments of all time, in REPORTING_CURRENCY.")

    class Meta:
        verbose_name_plural = "customer totals"
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="totals_are_one_row")]

    def __str__(self) -> str:
        return f"totals of {self.counted_at:%Y-%m-%d %H:%M}"
