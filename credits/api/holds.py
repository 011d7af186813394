"""``credits/holds``: credits reserved while the product works, then captured or released."""

from datetime import timedelta
from typing import Annotated, Any

from annotated_types import Ge, Le
from django.http import HttpRequest
from ninja import Path, Router, Status
from pydantic import BaseModel, Field

from accounts.authentication import IngestKey
from accounts.selectors import customer_by_external_id
from backoffice.lib import clock
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import AmountOut, Id, UtcTime
from credits import selectors, services
from credits.acts import LONGEST_HOLD
from credits.api.values import LARGEST_ID, ActionType, Amount, Description, Keyed, Metadata, Reference, namespaced
from credits.postings import HoldResult

router = Router(tags=["Credits"], auth=IngestKey())

HoldId = Path(..., ge=1, le=LARGEST_ID, description="The id of the hold.")
Seconds = Annotated[int, Ge(1), Le(int(LONGEST_HOLD.total_seconds()))]


class HoldIn(Keyed):
    user: Id
    amount: Amount  # type: ignore[valid-type]
    reference: Reference = ""
    expires_in: Annotated[Seconds | None, Field(description="Seconds; 24 hours unless told.")] = None


class CaptureIn(Keyed):
    amount: Annotated[Amount | None, Field(description="All of the hold unless told.")] = None  # type: ignore[valid-type]
    action_type: ActionType = ""
    description: Description = ""
    metadata: Metadata | None = None


class ReleaseIn(Keyed):
    pass


class HoldOut(BaseModel):
    """A hold. `captured` credits were spent by the entry `transaction`; a hold of a demo customer is of 0."""

    id: int
    amount: AmountOut
    state: str
    expires_at: UtcTime
    captured: AmountOut
    transaction: int | None


class HoldActOut(HoldOut):
    replayed: bool


def _shown(result: HoldResult) -> HoldActOut:
    return HoldActOut(
        id=result.hold_id,
        amount=result.amount,
        state=result.state,
        expires_at=result.expires_at,
        captured=result.captured,
        transaction=result.transaction_id,
        replayed=result.replayed,
    )


@router.post("", response=answers({200: HoldActOut, 201: HoldActOut}, 402, 404, 409), summary="Reserve credits")
def post_hold(request: HttpRequest, body: HoldIn) -> Any:
    """Sets credits aside for work that is running, so that nothing else can spend them.

    Capture the hold when the work is done, release it when it failed; forgotten, it expires by itself. 201 when it was
    made, 200 when it had been.
    """
    result = services.place_hold(
        user_id=customer_by_external_id(body.user).pk,
        amount=body.amount,
        reference=body.reference,
        expires_in=None if body.expires_in is None else timedelta(seconds=body.expires_in),
        idempotency_key=namespaced(request, body.idempotency_key),
    )
    return Status(200 if result.replayed else 201, _shown(result))


@router.get("/{hold_id}", response=answers({200: HoldOut}, 404), summary="A hold")
def get_hold(request: HttpRequest, hold_id: int = HoldId) -> Any:
    """The hold as it stands: `open`, `captured`, `released` or `expired`."""
    hold = selectors.hold_at(hold_id=hold_id, now=clock.now())
    return HoldOut(
        id=hold.pk,
        amount=hold.amount,
        state=hold.state,
        expires_at=hold.expires_at,
        captured=hold.captured,
        transaction=hold.transaction_id,
    )


@router.post("/{hold_id}/capture", response=answers({200: HoldActOut}, 404, 409), summary="Spend a hold")
def capture(request: HttpRequest, body: CaptureIn, hold_id: int = HoldId) -> Any:
    """Spends the hold, or `amount` of it; the rest is released. `transaction` is the usage, which can be refunded."""
    result = services.capture_hold(
        hold_id=hold_id,
        amount=body.amount,
        idempotency_key=namespaced(request, body.idempotency_key),
        action_type=body.action_type,
        description=body.description,
        metadata=body.metadata.kept() if body.metadata else {},
    )
    return _shown(result)


@router.post("/{hold_id}/release", response=answers({200: HoldActOut}, 404, 409), summary="Let a hold go")
def release(request: HttpRequest, body: ReleaseIn, hold_id: int = HoldId) -> Any:
    """Lets the hold go unspent, always the whole of it."""
    return _shown(services.release_hold(hold_id=hold_id, idempotency_key=namespaced(request, body.idempotency_key)))
