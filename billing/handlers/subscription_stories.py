"""The stored events of one subscription, read into its story from the moment of one of them on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing import selectors, stripe_api
from billing.errors import Parked
from billing.handlers.terms import TermsBook
from billing.handlers.words import decided
from billing.models import EventSource, StripeEvent, Subscription
from billing.models.statuses import EARNING, SUBSCRIPTION_OVER, SubscriptionStatus
from billing.ordering import Word, in_order, rank_of, word_of
from billing.payloads import value_at
from billing.readings.discounts import Coupon, DiscountTold, read_discount
from billing.readings.subscriptions import SubscriptionTold, read_items, read_subscription
from billing.stripe_api import Answers
from billing.subscription_story import Heard, Step, steps_of

ENDED = ".deleted"


class Story:
    """What is told of ``stripe_id`` from the moment of ``event`` on."""

    def __init__(
        self,
        event: StripeEvent,
        answers: Answers,
        *,
        stripe_id: str,
        stripe_customer_id: str,
        row: Subscription | None,
    ) -> None:
        self._event = event
        self._answers = answers
        self._stripe_id = stripe_id
        self._row = row
        self._since = _since(event)
        self._events = selectors.words_on_subscription(stripe_id, livemode=event.livemode, since=self._since)
        self._discount_events = selectors.words_on_discounts(
            stripe_id, stripe_customer_id=stripe_customer_id, livemode=event.livemode
        )

    @property
    def references(self) -> frozenset[str]:
        """Whom the metadata of its events names."""
        return frozenset(name for heard in self._heard if heard.told for name in heard.told.references)

    @property
    def steps(self) -> list[Step]:
        """Raises Parked, Waiting, AnswerNeeded, StripeCallFailed."""
        book = TermsBook(self._event, self._answers, subscription_id=self._stripe_id)
        book.learn(self._known_discounts())
        heard = [*self._heard, *self._heard_of_discounts]
        return steps_of(heard, stripe_id=self._stripe_id, since=self._since, terms=book.complete)

    @cached_property
    def _heard(self) -> Sequence[Heard]:
        by_key = {event.stripe_id: event for event in self._events}
        words = in_order([word_of(event) for event in self._events])
        if words:
            last = decided(words, self._answers, kind="subscription", object_id=self._stripe_id)
            words = [word for word in words if word.key != last.key]
            words.append(last if last.key else replace(words.pop(), subject=last.subject))
        read = ((by_key[word.key], word, self._read(by_key[word.key], word)) for word in words)
        known = [(event, word, told) for event, word, told in read if told is not None]
        return [
            Heard(
                event_id=event.pk,
                at=_happened(event, told, at=word.at, is_first=index == 0 and self._is_all(event)),
                rank=word.rank,
                told=told,
            )
            for index, (event, word, told) in enumerate(known)
        ]

    def _is_all(self, event: StripeEvent) -> bool:
        """Whether no other event is known to have told of it; asked only of what was fetched."""
        if event.source != EventSource.SYNC or self._row is None:
            return True
        return not selectors.has_other_changes(self._row, [each.pk for each in self._events])

    def _read(self, event: StripeEvent, word: Word) -> SubscriptionTold | None:
        told = told_by(event, word.subject)
        if told is None or told.has_all_items or told.status not in EARNING:
            return told
        if not stripe_api.is_configured():
            raise Parked(
                "The subscription has more items than the event lists, and without STRIPE_SECRET_KEY they cannot be "
                "read from Stripe. Set the key and replay."
            )
        listed = self._answers.to("subscription items", self._stripe_id)
        return replace(told, items=read_items(listed, currency=told.currency))

    @cached_property
    def _heard_of_discounts(self) -> Sequence[Heard]:
        words = in_order([word_of(event) for event in self._discount_events])
        by_key = {event.stripe_id: event for event in self._discount_events}
        return [
            Heard(
                event_id=by_key[word.key].pk,
                at=word.at,
                rank=rank_of(by_key[word.key].type),
                discount=read_discount(word.subject),
                has_ended=by_key[word.key].type.endswith(ENDED),
            )
            for word in words
        ]

    def _known_discounts(self) -> Iterator[DiscountTold]:
        for heard in (*self._heard, *self._heard_of_discounts):
            if heard.discount:
                yield heard.discount
            if heard.told:
                yield from heard.told.discounts
                yield from (each for item in heard.told.items for each in item.discounts)
        # What the row knows may stand in no event any more.
        for kept in self._row.discounts if self._row else ():
            yield kept_discount(kept)


def told_by(event: StripeEvent, subject: Any) -> SubscriptionTold | None:
    """The subscription that an event tells; its end is an end, whatever else it says."""
    told = read_subscription(subject, at=event.stripe_created or event.received_at)
    if told and event.type.endswith(ENDED) and told.status not in SUBSCRIPTION_OVER:
        return replace(told, status=SubscriptionStatus.CANCELED)
    return told


def kept_discount(kept: Mapping[str, Any]) -> DiscountTold:
    """A discount as the row keeps it; see ``services.subscriptions``."""
    percent, amount = kept["percent_off"], kept["amount_off"]
    return DiscountTold(
        id=kept["id"],
        coupon_id=kept["coupon"],
        coupon=Coupon(
            percent_off=None if percent is None else Decimal(percent),
            amount_off=None if amount is None else Decimal(amount),
            currency=kept["currency"],
            is_once=False,
            products=frozenset(kept["products"]),
        ),
        ends=datetime.fromisoformat(kept["ends"]) if kept["ends"] else None,
    )


def _since(event: StripeEvent) -> datetime:
    at = event.stripe_created or event.received_at
    told = told_by(event, value_at(event.payload, "data", "object"))
    return _happened(event, told, at=at, is_first=True) if told else at


def _happened(event: StripeEvent, told: SubscriptionTold, *, at: datetime, is_first: bool) -> datetime:
    """When it happened: what was fetched tells of the moment of fetching, which may be long afterwards."""
    if event.source != EventSource.SYNC:
        return at
    if told.status in SUBSCRIPTION_OVER:
        return min(at, told.ended_at or at)
    # Of one that nothing was heard of before, all that is known is that it has been so since it began to be paid for.
    return min(at, max(told.started_at, told.trial_end or told.started_at)) if is_first else at
