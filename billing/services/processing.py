"""Processing: an event from the inbox takes effect, once, and what became of it is written on its row."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from backoffice.lib import clock
from billing.errors import BillingError, Ignored, NotApplied, Parked, Waiting
from billing.handlers import HANDLERS
from billing.models import EventState, StripeEvent
from billing.models.events import UNSETTLED, WANTING
from billing.services.families import families_of, lock_families, members_of
from billing.stripe_api import AnswerNeeded, Answers

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)
# With the delays above that is about a day of trying. Then only a replay goes on.
MAX_FAILURES = 13
ERROR_LENGTH = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt."""

    state: EventState
    error: str = ""
    next_attempt_at: datetime | None = None


def process_event(*, event_id: int) -> None:
    """Apply an event that waits, then those of the same families that it may have been wanting for.

    One that has come to rest is left alone, so it does no harm to be told twice. A failure is kept on the row.
    """
    waiting = deque([event_id])
    while waiting:
        waiting.extend(_process(waiting.popleft()))


def _process(event_id: int) -> list[int]:
    answers = Answers()
    while True:
        try:
            return _attempt(event_id, answers)
        except AnswerNeeded as needed:
            answers.fetch(needed.question)


@transaction.atomic
def _attempt(event_id: int, answers: Answers) -> list[int]:
    """Try once; the ids of events of the same families that are to be tried again."""
    event = _locked(event_id)
    if event is None:
        return []
    outcome = _outcome(event, answers)
    _settle(event, outcome)
    # Only the first attempt tells the others something new, or the payment itself; so this comes to an end.
    return _wake_others(event) if event.attempts == 1 or outcome.state == EventState.PROCESSED else []


def _locked(event_id: int) -> StripeEvent | None:
    unlocked = StripeEvent.objects.filter(pk=event_id, state__in=UNSETTLED).defer("body", "payload")
    event = unlocked.first()
    if event is None:
        return None
    # One event of a payment, invoice or subscription at a time: each sees all that those before it have done, and none
    # misses the other.
    lock_families(families_of(event) or {event.object_id or event.stripe_id})
    waiting = StripeEvent.objects.defer("body").filter(pk=event_id, state__in=UNSETTLED)
    return waiting.select_for_update(no_key=True).first()


def _outcome(event: StripeEvent, answers: Answers) -> Outcome:
    try:
        # A savepoint: what a handler wrote before it gave up is undone, and the row still gets its state.
        with transaction.atomic():
            _apply(event, answers)
    except AnswerNeeded:
        raise
    except Ignored as reason:
        return Outcome(EventState.IGNORED, str(reason))
    except Waiting as reason:
        return Outcome(EventState.RECEIVED, str(reason), reason.until)
    except NotApplied as reason:
        return Outcome(EventState.PARKED, str(reason))
    except Exception as error:
        log.exception("stripe_event_failed", stripe_id=event.stripe_id)
        return _failure(event, error)
    return Outcome(EventState.PROCESSED)


def _apply(event: StripeEvent, answers: Answers) -> None:
    if event.livemode != settings.STRIPE_LIVEMODE:
        theirs, ours = ("live", "test") if event.livemode else ("test", "live")
        raise Ignored(f"It is of Stripe's {theirs} mode, and this is the {ours} one.")
    if event.payload is None:
        raise Parked(
            "It holds a character that cannot be stored, so it was not read. Look it up in Stripe and book by hand "
            "what it tells."
        )
    handler = HANDLERS.get(event.type)
    if handler is None:
        raise Ignored("Nothing is done for events of this type.")
    handler(event, answers)


def _failure(event: StripeEvent, error: Exception) -> Outcome:
    failures = event.failures + 1
    told = str(error) if isinstance(error, BillingError) else f"Our side failed ({type(error).__name__}: {error})."
    told = told.replace("\x00", "")[:ERROR_LENGTH]
    if failures >= MAX_FAILURES:
        return Outcome(EventState.FAILED, f"{told} It was tried {failures} times: have it looked at, then replay.")
    delay = min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY)
    return Outcome(EventState.FAILED, f"{told} It is tried again by itself.", clock.now() + delay)


def _settle(event: StripeEvent, outcome: Outcome) -> None:
    event.state = outcome.state
    event.attempts += 1
    # Waiting, and being woken by others, is no failure.
    event.failures = event.failures + 1 if outcome.state == EventState.FAILED else 0
    event.error = outcome.error
    event.next_attempt_at = outcome.next_attempt_at
    event.processed_at = None if outcome.state in UNSETTLED else clock.now()
    event.save(update_fields=["state", "attempts", "failures", "error", "next_attempt_at", "processed_at"])


def _wake_others(event: StripeEvent) -> list[int]:
    others = members_of(families_of(event)).exclude(pk=event.pk)
    ids = list(others.filter(WANTING).order_by("pk").values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=ids).update(
        state=EventState.RECEIVED, next_attempt_at=clock.now(), processed_at=None
    )
    return ids
