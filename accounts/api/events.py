"""``events``: what customers and visitors did, many at a time."""

import json
from ipaddress import ip_address
from typing import Annotated, Any, Self

from django.http import HttpRequest
from ninja import Router
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic import WithJsonSchema as JsonSchema

from accounts import services
from accounts.authentication import IngestKey
from accounts.errors import UnknownCustomer
from accounts.services import ToldEvent
from backoffice.lib.api.batches import BatchResults, ItemResult, items, rejected
from backoffice.lib.api.bodies import depth_of
from backoffice.lib.api.errors import ApiError
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import Body, Id, PastTime, refused

router = Router(tags=["Customers"], auth=IngestKey())

MOST_DETAILS_BYTES = 8 * 1024
MOST_DETAILS_LEVELS = 8


def _ip(text: str) -> str:
    try:
        # A zone, which PostgreSQL cannot keep, means something on the sender's machine alone.
        return str(ip_address(text.partition("%")[0]))
    except ValueError as error:
        raise refused("invalid_ip", "This is not an IP address.") from error


def _bounded(details: dict[str, Any]) -> dict[str, Any]:
    if depth_of(details) > MOST_DETAILS_LEVELS:
        raise refused("details_too_deep", f"Details are nested more than {MOST_DETAILS_LEVELS} levels deep.")
    if len(json.dumps(details, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_DETAILS_BYTES:
        raise refused("details_too_large", f"Details are larger than {MOST_DETAILS_BYTES} bytes.")
    return details


Ip = Annotated[
    str,
    AfterValidator(_ip),
    JsonSchema({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}),
]


class EventIn(Body):
    """An act of the customer `user`, or of a visitor whom nobody knows yet."""

    event_id: Id
    action: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    at: PastTime
    user: Id | None = None
    visitor_id: Id | None = None
    details: Annotated[dict[str, Any], AfterValidator(_bounded)] = Field(default_factory=dict)
    ip: Ip | None = None
    user_agent: Annotated[str, StringConstraints(max_length=2000)] | None = None

    @model_validator(mode="after")
    def _somebodys(self) -> Self:
        if self.user is None and self.visitor_id is None:
            raise refused("user_missing", "Name the user or the visitor_id.")
        return self


class EventsIn(Body):
    events: items(EventIn)  # type: ignore[valid-type]


@router.post("", response=answers({200: BatchResults}), summary="Tell of acts")
def post_events(request: HttpRequest, body: EventsIn) -> Any:
    """Keeps up to 5,000 acts, each once under its `event_id`; items are judged one by one.

    A rejected item writes nothing and does not touch the others. `replayed` says that the id was told before, and that
    what was told then stands.
    """
    told = [(index, event) for index, event in enumerate(body.events) if isinstance(event, EventIn)]
    outcomes = services.record_events(events=[_told(event) for _, event in told])
    kept = {index: _result(index, outcome) for (index, _), outcome in zip(told, outcomes, strict=True)}
    return BatchResults(
        results=[
            rejected(index, event) if isinstance(event, ApiError) else kept[index]
            for index, event in enumerate(body.events)
        ]
    )


def _told(event: EventIn) -> ToldEvent:
    return ToldEvent(
        event_id=event.event_id,
        action=event.action,
        at=event.at,
        user=event.user,
        visitor_id=event.visitor_id or "",
        details=event.details,
        ip=event.ip,
        user_agent=event.user_agent or "",
    )


def _result(index: int, outcome: bool | UnknownCustomer) -> ItemResult:
    if isinstance(outcome, UnknownCustomer):
        return rejected(index, outcome)
    return ItemResult(index=index, status="created" if outcome else "replayed")
