"""Stripe's last word on the object that an event tells of."""

from collections.abc import Iterable, Sequence

from billing import selectors, stripe_api
from billing.errors import Parked
from billing.models import StripeEvent
from billing.models.versions import Versioned
from billing.ordering import Undecided, Word, last, word_of
from billing.stripe_api import Answers


def last_word(event: StripeEvent, answers: Answers, *, types: Iterable[str], kind: str) -> Word:
    """What Stripe said last of the object of ``event``, in events of these types. ``kind`` is what Stripe is asked for.

    Raises Parked, AnswerNeeded, StripeCallFailed.
    """
    events = selectors.newest_events_of(event.object_id, types=types, livemode=event.livemode)
    if not events:
        raise Parked("The event does not say what it tells of, or when it happened. Look it up in Stripe.")
    return decided([word_of(each) for each in events], answers, kind=kind, object_id=event.object_id)


def decided(words: Sequence[Word], answers: Answers, *, kind: str, object_id: str) -> Word:
    """The last of at least one word on an object; what Stripe says now, if they contradict each other.

    Raises Parked, AnswerNeeded, StripeCallFailed.
    """
    try:
        return last(words)
    except Undecided as undecided:
        if not stripe_api.is_configured():
            raise Parked(
                f"Two events of the same second contradict each other about {object_id}, and without "
                "STRIPE_SECRET_KEY it cannot be read from Stripe. Set the key and replay."
            ) from undecided
        at, rank = max(word.moment for word in words)
        return Word(at=at, rank=rank, subject=answers.to(kind, object_id))


def is_news(row: Versioned | None, word: Word) -> bool:
    """Whether the word came after what the row goes by; the same word again is told again, and changes nothing."""
    return row is None or row.as_of is None or word.moment >= (row.as_of, row.as_of_rank)
