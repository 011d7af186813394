"""Gifts to many customers at once, as a job, and taking them back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from accounts.models import RetiredCustomer
from accounts.services import lock_customers
from backoffice.lib.money import format_credits
from backoffice.lib.work import ItemOutcome, Running
from credits.acts import Reversal
from credits.kinds import TransactionKind
from credits.models import IdempotencyRecord
from credits.postings import Act, Outcome, Posting, PostResult, Rejection
from credits.services.posting import post_batch

JOB = "job:"


def reference_of(job_id: int) -> str:
    """What the entries of a job are found by in the ledger."""
    return f"{JOB}{job_id}"


def job_of(reference: str) -> int | None:
    """The job that an entry with this reference is of, if it is of one."""
    number = reference.removeprefix(JOB)
    return int(number) if number != reference and number.isascii() and number.isdigit() else None


def key_of(job_id: int, user_id: int) -> str:
    """The idempotency key of what a job does to one customer: once, however often it is taken up."""
    return f"job:{job_id}:{user_id}"


def gift_many(job: Running, user_ids: Sequence[int]) -> list[ItemOutcome]:
    """Give each customer the ``amount`` of the job's params, which lapses at its ``expires_at``."""
    expires_at = job.params.get("expires_at")
    # Locked before they are looked at, or one could be merged away between the look and the gift.
    lock_customers(user_ids)
    retired = set(RetiredCustomer.objects.filter(pk__in=user_ids).values_list("pk", flat=True))
    gifts = {
        user_id: Posting(
            user_id=user_id,
            kind=TransactionKind.GIFT,
            amount=Decimal(job.params["amount"]),
            idempotency_key=key_of(job.id, user_id),
            description=job.reason,
            reference=reference_of(job.id),
            actor_id=job.actor_id,
            expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        )
        for user_id in user_ids
        if user_id not in retired
    }
    return _outcomes(user_ids, gifts, "The customer was merged or anonymised.")


def take_back_many(job: Running, user_ids: Sequence[int]) -> list[ItemOutcome]:
    """Take back from each customer what is neither spent nor held of what the undone job gave them."""
    given = _gifts_of(job.undoes_id or 0, user_ids)
    reversals = {
        user_id: Reversal(
            transaction_id=entry_id,
            idempotency_key=key_of(job.id, user_id),
            description=job.reason,
            reference=reference_of(job.id),
            actor_id=job.actor_id,
            grace=settings.CREDIT_REFUND_GRACE,
        )
        for user_id, entry_id in given.items()
    }
    return _outcomes(user_ids, reversals, "The gift cannot be found any more.")


def _gifts_of(job_id: int, user_ids: Sequence[int]) -> dict[int, int]:
    """The entry by which the job gave to each customer, found by its key: the reference has as many as the job."""
    owners = {key_of(job_id, user_id): user_id for user_id in user_ids}
    records = IdempotencyRecord.objects.filter(key__in=owners).values_list("key", "result__id")
    return {owners[key]: entry_id for key, entry_id in records}


def _outcomes(user_ids: Sequence[int], acts: Mapping[int, Act], missing: str) -> list[ItemOutcome]:
    """How each customer's act ended, in one batch; ``missing`` is said of those without one."""
    ended = dict(zip(acts, post_batch(list(acts.values())), strict=True))
    return [
        _outcome(user_id, ended[user_id]) if user_id in ended else ItemOutcome(user_id, is_done=False, note=missing)
        for user_id in user_ids
    ]


def _outcome(user_id: int, outcome: Outcome) -> ItemOutcome:
    if isinstance(outcome, Rejection):
        return ItemOutcome(user_id, is_done=False, note=str(outcome.error))
    amount = outcome.amount if isinstance(outcome, PostResult) else Decimal(0)
    return ItemOutcome(user_id, note=f"{format_credits(amount)} credits")
