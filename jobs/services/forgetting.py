"""What messages said and what jobs were done to, removed for its age: a few at a time, each time in one transaction."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from backoffice.lib import clock
from jobs.models import Delivery, Job, JobItem, MessageState, OutboxMessage
from jobs.models.work import FINISHED


def old_messages(before: datetime) -> QuerySet[OutboxMessage]:
    """Messages written before ``before`` that still have their content and wait for nothing."""
    kept = OutboxMessage.objects.filter(created_at__lt=before, forgotten_at=None)
    return kept.exclude(state=MessageState.PENDING)


@transaction.atomic
def remove_contents(before: datetime, limit: int) -> int:
    """Empty the oldest messages of what they said, to whom and what was answered. That there was one stays."""
    oldest = old_messages(before).order_by("created_at").select_for_update(skip_locked=True, no_key=True)
    old = list(oldest.values_list("pk", flat=True)[:limit])
    Delivery.objects.filter(message__in=old).delete()
    return OutboxMessage.objects.filter(pk__in=old).update(
        recipient="", subject="", body="", payload={}, last_error="", forgotten_at=clock.now()
    )


def old_items(before: datetime) -> QuerySet[JobItem]:
    """What jobs were done to that ended before ``before``."""
    return JobItem.objects.filter(job__state__in=FINISHED, job__finished_at__lt=before)


@transaction.atomic
def remove_items(before: datetime, limit: int) -> int:
    """Forget what the oldest jobs were done to; how many things. The job stays, with its numbers."""
    ended = Job.objects.filter(state__in=FINISHED, finished_at__lt=before)
    with_items = ended.filter(Exists(JobItem.objects.filter(job=OuterRef("pk")))).order_by("pk")
    job_id = with_items.values_list("pk", flat=True).first()
    if job_id is None:
        return 0
    items = JobItem.objects.filter(job=job_id).order_by("target_id").select_for_update(skip_locked=True)
    old = list(items.values_list("pk", flat=True)[:limit])
    JobItem.objects.filter(pk__in=old).delete()
    return len(old)
