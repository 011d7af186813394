"""``webhooks/events``: what the product was told, or would have been, for one that fetches or has missed some of it."""

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from accounts.authentication import IngestKey
from backoffice.lib import clock
from backoffice.lib.api.responses import answers
from jobs import services
from jobs.envelopes import envelope
from jobs.signatures import signature

router = Router(tags=["Webhooks"], auth=IngestKey())

MOST_EVENTS, USUAL_EVENTS = 1000, 100
LARGEST_ID = 2**63 - 1


class EventsQuery(BaseModel):
    after: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS)] = USUAL_EVENTS


class EventOut(BaseModel):
    """`body` and `signature` are what the webhook sends as its body and as the header Backoffice-Signature."""

    id: int
    body: str
    signature: str


class EventsOut(BaseModel):
    """`next_after` is the id of the last event that was given, here or before; null as long as there was none."""

    events: list[EventOut]
    next_after: int | None


@router.get("/events", response=answers({200: EventsOut}, 404), summary="Fetch what happened")
def get_events(request: HttpRequest, query: Annotated[EventsQuery, Query(...)]) -> Any:
    """Events in an order that never changes, beginning after the one with the id `after`, or with the oldest kept.

    Ids need not rise from one event to the next: go on from `next_after`, not from the largest. Each event comes again
    for whoever asks again.
    """
    now, secrets = clock.now(), settings.PRODUCT_WEBHOOK_SECRETS
    events = []
    for message in services.events_after(after=query.after, limit=query.limit):
        body = envelope(message)
        events.append(EventOut(id=message.pk, body=body.decode(), signature=signature(body, secrets=secrets, at=now)))
    return EventsOut(events=events, next_after=events[-1].id if events else query.after)
