"""Objects that were fetched from Stripe become events of the inbox and take effect, unless they tell nothing new."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from billing import selectors, stripe_api
from billing.errors import MalformedEvent
from billing.handlers import HANDLERS
from billing.models import EventSource
from billing.payloads import stripe_id, value_at
from billing.resources import EVENTS, Resource, as_event, ids_in, row_prefix
from billing.services.inbox import receive_event
from billing.services.processing import process_event
from billing.stripe_lists import Page

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What came of some objects: how many there were, told something new, and wait for somebody to look."""

    found: int = 0
    new: int = 0
    held_up: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(found=self.found + other.found, new=self.new + other.new, held_up=self.held_up + other.held_up)


def keep_page(*, resource: Resource, page: Page) -> Kept:
    """Keep what a page tells that was not told before, and apply it at once.

    An object that cannot be read counts as held up and leaves a line in the log; the others are kept all the same.
    """
    readable = [found for found in page.objects if isinstance(found, dict) and stripe_id(found.get("id"))]
    new, unreadable = [], len(page.objects) - len(readable)
    if unreadable:
        log.warning("stripe_objects_without_id", resource=resource.key, objects=unreadable)
    for told in _told(resource, page, readable):
        try:
            event = receive_event(body=json.dumps(told).encode(), source=EventSource.SYNC)
        except MalformedEvent as error:
            log.warning("stripe_object_not_read", resource=resource.key, event=str(told.get("id")), why=str(error))
            unreadable += 1
            continue
        if event is not None:
            process_event(event_id=event.pk)
            new.append(event.pk)
    held_up = selectors.held_up_among(new)
    return Kept(found=len(page.objects), new=len(new) + unreadable, held_up=held_up + unreadable)


def _told(resource: Resource, page: Page, subjects: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The events that these objects are, or would be, less what is known, was forgotten, or needs nothing done."""
    typed = [(resource.told_of(subject), resource.event_type(subject)) for subject in subjects]
    wanted = [(subject, event_type) for subject, event_type in typed if event_type in HANDLERS]
    named = {subject["id"]: set(ids_in(_subject(subject) if resource is EVENTS else subject)) for subject, _ in wanted}
    forgotten = selectors.forgotten_among(set().union(*named.values()))
    known = {} if resource is EVENTS else selectors.last_events_of(list(named))
    for subject, event_type in wanted:
        if not forgotten.isdisjoint(named[subject["id"]]):
            continue
        if resource is EVENTS:
            yield subject
        elif not known.get(subject["id"], "").startswith(row_prefix(subject)):
            yield as_event(
                subject,
                event_type=event_type,
                at=page.at,
                api_version=page.api_version,
                livemode=stripe_api.is_live_key(),
            )


def _subject(event: Mapping[str, Any]) -> Mapping[str, Any]:
    subject = value_at(event, "data", "object")
    return subject if isinstance(subject, Mapping) else {}
