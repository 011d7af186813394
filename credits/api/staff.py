"""``admin/credits``: what a member of staff does to balances by program, within their own permissions, audited."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from accounts.authentication import AdminKey, require_permission
from accounts.errors import UnknownCustomer
from accounts.models import Customer, User
from accounts.selectors import customer_by_email, customer_by_external_id
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import Id, UtcTime
from credits import services
from credits.api.values import Amount, EntryOut, Keyed, Reason, RefundIn, SignedAmount, entry

router = Router(tags=["Staff: credits"], auth=AdminKey())

RESPONSES = answers({200: EntryOut, 201: EntryOut}, 404, 409)
Person = Annotated[str, Field(min_length=1, max_length=254, description="The product's id of the customer, or email.")]


class GiftIn(Keyed):
    user: Person
    amount: Amount  # type: ignore[valid-type]
    reason: Reason
    expires_at: UtcTime | None = None


class AdjustmentIn(Keyed):
    user: Person
    amount: SignedAmount
    reason: Reason


def _customer(named: str) -> Customer:
    try:
        return customer_by_external_id(named)
    except UnknownCustomer:
        customer = customer_by_email(named)
        if customer is None:
            raise
        return customer


def _key(actor: User, key: Id) -> str:
    # The person's and not the key's: what they asked for with one of their keys is not done again with another.
    return f"admin:api:{actor.pk}:{key}"


@router.post("/gift", response=RESPONSES, summary="Gift credits")
def gift(request: HttpRequest, body: GiftIn) -> Any:
    """Gives a customer credits, which lapse at `expires_at` if told. Needs the permission to gift."""
    actor = require_permission(request, "credits.gift_credits")
    result = services.gift_credits(
        user_id=_customer(body.user).pk,
        amount=body.amount,
        reason=body.reason,
        expires_at=body.expires_at,
        actor=actor,
        idempotency_key=_key(actor, body.idempotency_key),
    )
    return entry(result)


@router.post("/adjust", response=answers({200: EntryOut, 201: EntryOut}, 402, 404, 409), summary="Correct a balance")
def adjust(request: HttpRequest, body: AdjustmentIn) -> Any:
    """Adds credits, or takes them with a negative amount, never below what is available. Needs the permission to
    adjust."""
    actor = require_permission(request, "credits.adjust_credits")
    result = services.adjust_credits(
        user_id=_customer(body.user).pk,
        amount=body.amount,
        reason=body.reason,
        actor=actor,
        idempotency_key=_key(actor, body.idempotency_key),
    )
    return entry(result, signed=True)


@router.post("/refund", response=RESPONSES, summary="Refund a usage")
def refund(request: HttpRequest, body: RefundIn) -> Any:
    """Gives back a usage, or a part of it, to the lots it was taken from. Needs the permission to refund usage."""
    actor = require_permission(request, "credits.refund_usage")
    result = services.refund_usage(
        transaction_id=body.transaction,
        amount=body.amount,
        reason=body.reason,
        actor=actor,
        idempotency_key=_key(actor, body.idempotency_key),
    )
    return entry(result)
