"""Long work as rows: a job, and what it is done to."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from backoffice.lib.work import job_kinds


class JobState(models.TextChoices):
    """A draft has its targets and waits for its form to be confirmed; waiting is for a second person."""

    DRAFT = "draft", "Draft"
    WAITING = "waiting", "Waits for approval"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELED)


class Job(models.Model):
    """Work that outlasts a request: what, for whom, how far it is, and how it ended.

    ``total`` and ``done`` count what the job is done to; ``refused`` is the part of ``done`` that was left as it was.
    """

    kind = models.CharField(max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="jobs", db_index=False
    )
    params = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=16, choices=JobState, default=JobState.QUEUED)
    total = models.PositiveIntegerField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True, help_text="What came of it.")
    error = models.CharField(max_length=500, blank=True, help_text="Why it failed.")
    cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker took it up since it last got on."
    )
    token = models.CharField(
        max_length=200, unique=True, null=True, blank=True, help_text="Whoever asks twice with one token asks once."
    )
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by", help_text="The job this takes back."
    )
    result_file = models.CharField(max_length=300, blank=True)
    result_name = models.CharField(max_length=200, blank=True)
    result_until = models.DateTimeField(null=True, blank=True, help_text="The result can be downloaded until then.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("view_all_jobs", "Can see the jobs of all staff")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
            models.CheckConstraint(condition=Q(refused__lte=F("done")), name="job_refused_are_done"),
            models.CheckConstraint(
                condition=Q(state__in=FINISHED, finished_at__isnull=False)
                | Q(~Q(state__in=FINISHED), finished_at__isnull=True),
                name="job_finished_at_its_end",
            ),
            models.CheckConstraint(
                condition=Q(result_file="", result_until__isnull=True)
                | Q(~Q(result_file=""), result_until__isnull=False),
                name="job_results_expire",
            ),
        ]
        indexes = [
            # Somebody's own jobs, newest first; it also serves the foreign key.
            models.Index(fields=["actor", "created_at", "id"], name="job_by_actor"),
            # All jobs, newest first.
            models.Index(fields=["created_at", "id"], name="job_by_time"),
            # The sweep: a handful of rows among all that ever ran.
            models.Index(fields=["queued_at"], condition=Q(state__in=UNFINISHED), name="job_unfinished"),
            # Drafts that nobody confirmed, looked for every half minute.
            models.Index(fields=["created_at"], condition=Q(state="draft"), name="job_draft"),
            # Results whose time is over.
            models.Index(fields=["result_until"], condition=Q(result_until__isnull=False), name="job_result_until"),
        ]

    def __str__(self) -> str:
        kind = job_kinds.get(self.kind)
        return f"{kind.label if kind else self.kind} {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def percent(self) -> int | None:
        """How far it is, 0 to 100; None while nobody knows of how much."""
        return min(100, self.done * 100 // self.total) if self.total else None


class ItemState(models.TextChoices):
    PENDING = "pending", "Waits"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


class JobItem(models.Model):
    """One of the things that a job is done to, and how that ended. Chosen once: the job means these and no others."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="items", db_index=False)
    target_id = models.BigIntegerField(help_text="Id of a record of the sort that the kind of job knows.")
    state = models.CharField(max_length=16, choices=ItemState, default=ItemState.PENDING)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            # In the order in which they are done; it also serves the foreign key.
            models.UniqueConstraint(fields=["job", "target_id"], name="jobitem_once"),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="jobitem_state_known"),
        ]
        indexes = [
            # The next ones to do.
            models.Index(fields=["job", "target_id"], condition=Q(state="pending"), name="jobitem_pending"),
            # Those that were refused, which the page of a job shows first.
            models.Index(fields=["job", "target_id"], condition=Q(state="refused"), name="jobitem_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.target_id} of job {self.job_id}"
