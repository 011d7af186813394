"""What customers are sorted and filtered by, in one narrow row each."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from accounts.models.users import Status


class CustomerFigures(models.Model):
    """A customer's figures, kept beside the person so that lists never add up a ledger while someone waits.

    The columns taken from the person (status, plan, country, source, joined, last_active_at) are copied by a trigger
    on the table of users. Balance and spend are written by the services that change them, in the same transaction.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="figures", db_constraint=True
    )
    # Changes with each charge, so no index of this table names it: see CustomerBalance.
    balance = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    spend_minor = models.BigIntegerField(default=0, help_text="Net succeeded payments, in REPORTING_CURRENCY.")
    total_generations = models.BigIntegerField(default=0)
    last_active_at = models.DateTimeField(help_text="The signup, until there is something later.")
    status = models.CharField(max_length=16, choices=Status)
    plan = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=64, blank=True)
    joined = models.DateTimeField()

    class Meta:
        verbose_name_plural = "customer figures"
        indexes = [
            # Each column that the customers list sorts by, with the key that breaks ties for its cursor.
            models.Index(fields=["joined", "user"], name="figures_by_joined"),
            models.Index(fields=["spend_minor", "user"], name="figures_by_spend"),
            models.Index(fields=["total_generations", "user"], name="figures_by_generations"),
            models.Index(fields=["last_active_at", "user"], name="figures_by_last_active"),
            # The filters of that list, in its usual order.
            models.Index(fields=["status", "joined", "user"], name="figures_by_status"),
            models.Index(fields=["plan", "joined", "user"], name="figures_by_plan"),
            models.Index(fields=["country", "joined", "user"], name="figures_by_country"),
            models.Index(fields=["source", "joined", "user"], name="figures_by_source"),
        ]

    def __str__(self) -> str:
        return f"figures of customer {self.user_id}"


class CustomerBalance(models.Model):
    """The balance of a customer's figures once more, alone, for lists to sort and filter by.

    An index on it beside the other figures would make each charge rewrite all the indexes of their row. A trigger on
    the figures makes this row; who writes the one balance writes the other.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="balance_row", db_constraint=True
    )
    balance = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        indexes = [
            # The customers list by balance, with the key that breaks ties for its cursor.
            models.Index(fields=["balance", "user"], name="customer_by_balance"),
        ]

    def __str__(self) -> str:
        return f"balance of customer {self.user_id}"
