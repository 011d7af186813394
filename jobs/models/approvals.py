"""Acts above somebody's limit, which a second person decides on."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from jobs.models.limits import LARGEST


class ApprovalState(models.TextChoices):
    """Failed: it was approved, and refused when it was to be done."""

    PENDING = "pending", "Waits"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    FAILED = "failed", "Approved, not possible"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class Approval(models.Model):
    """A request to do ``verb`` with ``params``. What was asked for never changes; it is decided once."""

    verb = models.CharField(max_length=64)
    params = models.JSONField(help_text="What the verb needs to be done, as it was asked for.")
    amount = models.DecimalField(max_digits=18, decimal_places=4, help_text="What counts against limits.")
    resource_type = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=128)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500)
    # Whoever asks twice with one token asks once.
    token = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=16, choices=ApprovalState, default=ApprovalState.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=500, blank=True, help_text="What came of it.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        permissions = [("decide_approval", "Can decide on requests of others")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ApprovalState.values), name="approval_state_known"),
            models.CheckConstraint(condition=Q(amount__gte=0, amount__lt=LARGEST), name="approval_amount_bounds"),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | Q(~Q(state="pending"), decided_at__isnull=False),
                name="approval_decided_has_time",
            ),
            # Nobody is their own second person; what is withdrawn or expires was decided by nobody.
            models.CheckConstraint(
                condition=Q(state__in=["approved", "denied", "failed"], decided_by__isnull=False)
                & ~Q(decided_by=F("requested_by"))
                | Q(state__in=["pending", "withdrawn", "expired"], decided_by__isnull=True),
                name="approval_by_a_second_person",
            ),
        ]
        indexes = [
            # The inbox and its badge, and the sweep of what expires.
            models.Index(fields=["created_at", "id"], condition=Q(state="pending"), name="approval_pending"),
            # All requests, newest first.
            models.Index(fields=["created_at", "id"], name="approval_by_time"),
            # What was asked for about one thing.
            models.Index(fields=["resource_type", "resource_id"], name="approval_of_resource"),
            # The foreign keys, and "my requests".
            models.Index(fields=["requested_by", "created_at"], name="approval_by_requester"),
            models.Index(fields=["decided_by", "created_at"], name="approval_by_decider"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"
