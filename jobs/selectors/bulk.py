"""Whom a drafted bulk act is for, and whom of them it would leave out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.models import Customer
from backoffice.lib.work import Refusal
from jobs.models import Job, JobItem


@dataclass(frozen=True)
class Split:
    """Targets as things are now: whom it would be done to and how many they are, who would be left out and why."""

    doable: QuerySet[Customer]
    doable_count: int
    refused: list[tuple[str, int]]


def split(job: Job, refusals: Sequence[Refusal]) -> Split:
    """Part the targets of a job by who would be refused, each by the first reason that fits. One query."""
    targets = Customer.objects.filter(pk__in=JobItem.objects.filter(job=job).values("target_id"))
    counts, sooner = {}, Q()
    for number, refusal in enumerate(refusals):
        counts[f"refused_{number}"] = Count("pk", filter=refusal.condition & ~sooner if sooner else refusal.condition)
        sooner |= refusal.condition
    found = targets.aggregate(found=Count("pk"), **counts)
    refused = [(refusal.words, found[f"refused_{number}"]) for number, refusal in enumerate(refusals)]
    return Split(
        doable=targets.exclude(sooner) if sooner else targets,
        doable_count=found["found"] - sum(count for _, count in refused),
        refused=[(words, count) for words, count in refused if count],
    )
