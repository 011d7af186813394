"""What happened to the status of customers. Rows are evidence; ``User.status`` alone says how it stands."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.users import Status
from backoffice.lib import clock


class StatusChange(models.Model):
    """One ban, suspension, end of either, or change of how long it lasts.

    ``source`` says what did it when nobody did by hand: ``clock``, ``job:12``, ``undo:34``, ``merge:56``.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="status_changes", db_index=False, editable=False
    )
    old = models.CharField(max_length=16, choices=Status)
    new = models.CharField(max_length=16, choices=Status)
    reason = models.CharField(max_length=500, blank=True, help_text="Emptied when the customer is anonymised.")
    until = models.DateTimeField(null=True, blank=True, help_text="It ends by itself then; empty: until lifted.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Empty: the system.",
    )
    source = models.CharField(max_length=64, blank=True)
    key = models.CharField(
        max_length=255, unique=True, null=True, blank=True, help_text="Under which it was asked for and is done once."
    )
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(old__in=Status.values), name="status_change_old_known"),
            models.CheckConstraint(condition=Q(new__in=Status.values), name="status_change_new_known"),
            models.CheckConstraint(
                condition=~Q(new=Status.ACTIVE) | (Q(until__isnull=True) & ~Q(old=Status.ACTIVE)),
                name="status_change_to_active_ends_something",
            ),
        ]
        indexes = [
            # The history of a customer, newest first, and the foreign key.
            models.Index(fields=["user", "-id"], name="status_change_of_user"),
            # The foreign key, for whoever deletes a member of staff; few rows have no actor.
            models.Index(fields=["actor"], name="status_change_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.get_old_display()} to {self.get_new_display()}"

    @property
    def topic(self) -> str:
        """What the product is told that happened: ``user.banned``, ``.unbanned``, ``.suspended``, ``.reinstated``."""
        if self.new == Status.ACTIVE:
            return "user.unbanned" if self.old == Status.BANNED else "user.reinstated"
        return f"user.{self.new}"

    @property
    def how(self) -> str:
        """The act that it was part of, in words; empty when somebody did it for itself, or its time was over."""
        by, _, number = self.source.partition(":")
        words = {"job": f"job {number}", "undo": "undone", "merge": f"merged into customer {number}"}
        return words.get(by, "")
