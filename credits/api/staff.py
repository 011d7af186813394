"""``admin/credits``: what a member of staff does to balances by program, within their own permissions, audited.

What is above the member's limit is asked of a second person instead: 202 with the request's id.
"""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import BaseModel, Field

from accounts.authentication import AdminKey, require_permission
from accounts.errors import UnknownCustomer
from accounts.models import Customer, User
from accounts.selectors import customer_by_email, customer_by_external_id
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import Id, UtcTime
from credits import approving, services
from credits.api.values import Amount, EntryOut, Keyed, Reason, RefundIn, SignedAmount, entry
from credits.limits import Limit
from credits.selectors import ledger
from jobs.errors import LimitExceeded, TokenReused
from jobs.selectors import request_made_with
from jobs.services import request_approval

router = Router(tags=["Staff: credits"], auth=AdminKey())

Person = Annotated[str, Field(min_length=1, max_length=254, description="The product's id of the customer, or email.")]


class ApprovalOut(BaseModel):
    """Nothing was done: the act is above the member's limit and waits for a second person."""

    approval_id: int
    state: str
    message: str


RESPONSES = answers({200: EntryOut, 201: EntryOut, 202: ApprovalOut}, 404, 409)


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
    customer, key = _customer(body.user), _key(actor, body.idempotency_key)
    params = approving.addition(customer.pk, body.amount, body.expires_at)
    if asked := _asked(Limit.GIFT, params, key=key):
        return asked
    try:
        result = services.gift_credits(
            user_id=customer.pk,
            amount=body.amount,
            reason=body.reason,
            expires_at=body.expires_at,
            actor=actor,
            idempotency_key=key,
        )
    except LimitExceeded as exceeded:
        return _ask(Limit.GIFT, params, exceeded, customer.pk, actor=actor, reason=body.reason, key=key)
    return entry(result)


@router.post(
    "/adjust",
    response=answers({200: EntryOut, 201: EntryOut, 202: ApprovalOut}, 402, 404, 409),
    summary="Correct a balance",
)
def adjust(request: HttpRequest, body: AdjustmentIn) -> Any:
    """Adds credits, or takes them with a negative amount, never below what is available. Needs the permission to
    adjust."""
    actor = require_permission(request, "credits.adjust_credits")
    customer, key = _customer(body.user), _key(actor, body.idempotency_key)
    params = approving.addition(customer.pk, body.amount, None)
    if asked := _asked(Limit.ADJUST, params, key=key):
        return asked
    try:
        result = services.adjust_credits(
            user_id=customer.pk, amount=body.amount, reason=body.reason, actor=actor, idempotency_key=key
        )
    except LimitExceeded as exceeded:
        return _ask(Limit.ADJUST, params, exceeded, customer.pk, actor=actor, reason=body.reason, key=key)
    return entry(result, signed=True)


@router.post("/refund", response=RESPONSES, summary="Refund a usage")
def refund(request: HttpRequest, body: RefundIn) -> Any:
    """Gives back a usage, or a part of it, to the lots it was taken from. Needs the permission to refund usage."""
    actor = require_permission(request, "credits.refund_usage")
    key = _key(actor, body.idempotency_key)
    # All that is left, unless told: how much that was is in the request.
    told = approving.undoing(body.transaction, body.amount) if body.amount else {"transaction": body.transaction}
    if asked := _asked(Limit.REFUND, told, key=key):
        return asked
    try:
        result = services.refund_usage(
            transaction_id=body.transaction,
            amount=body.amount,
            reason=body.reason,
            actor=actor,
            idempotency_key=key,
        )
    except LimitExceeded as exceeded:
        params = approving.undoing(body.transaction, exceeded.amount)
        user_id = ledger().get(pk=body.transaction).account_id
        return _ask(Limit.REFUND, params, exceeded, user_id, actor=actor, reason=body.reason, key=key)
    return entry(result)


def _asked(verb: Limit, told: dict[str, Any], *, key: str) -> Status | None:
    """What has become of the request that was made under this key, if one was.

    Whatever the limit is by now: an act that a second person may still allow is not done beside it. Raises TokenReused
    when the request was for something else.
    """
    approval = request_made_with(key)
    if approval is None:
        return None
    if approval.verb != verb or not told.items() <= approval.params.items():
        raise TokenReused
    message = "A second person was asked for this before."
    return Status(202, ApprovalOut(approval_id=approval.pk, state=approval.state, message=message))


def _ask(
    verb: Limit,
    params: dict[str, Any],
    exceeded: LimitExceeded,
    user_id: int,
    *,
    actor: User,
    reason: str,
    key: str,
) -> Status:
    """The request to a second person that takes the place of the act; the same one for the same key."""
    approval = request_approval(
        verb=verb,
        params=params,
        amount=exceeded.amount,
        resource=("accounts.user", str(user_id)),
        actor=actor,
        reason=reason,
        token=key,
    )
    return Status(202, ApprovalOut(approval_id=approval.pk, state=approval.state, message=str(exceeded)))
