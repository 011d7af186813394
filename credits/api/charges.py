"""``credits/charges``, one and many, and ``credits/refunds``: what the product takes and gives back."""

from collections.abc import Mapping
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from accounts.authentication import IngestKey
from accounts.errors import UnknownCustomer
from accounts.selectors import customer_by_external_id, customer_ids
from backoffice.lib.api.batches import ItemResult, items, rejected
from backoffice.lib.api.errors import ApiError
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import AmountOut, Body, Id
from credits import services
from credits.api.values import (
    ActionType,
    Amount,
    Description,
    EntryOut,
    Keyed,
    Metadata,
    Reference,
    RefundIn,
    entry,
    namespaced,
)
from credits.kinds import TransactionKind
from credits.postings import HoldResult, Outcome, Posting, Rejection

router = Router(tags=["Credits"], auth=IngestKey())


class ChargeIn(Keyed):
    user: Id
    amount: Amount  # type: ignore[valid-type]
    action_type: ActionType = ""
    description: Description = ""
    reference: Reference = ""
    metadata: Metadata | None = None

    def kept_metadata(self) -> dict[str, Any]:
        return self.metadata.kept() if self.metadata else {}


class ChargesIn(Body):
    charges: items(ChargeIn)  # type: ignore[valid-type]


class ChargeResult(ItemResult):
    """What became of one charge; `id` and `balance_after` are null where it was rejected."""

    id: int | None = None
    balance_after: AmountOut | None = None


class ChargeResults(BaseModel):
    results: list[ChargeResult]


@router.post("/charges", response=answers({200: EntryOut, 201: EntryOut}, 402, 404, 409), summary="Charge a customer")
def post_charge(request: HttpRequest, body: ChargeIn) -> Any:
    """Takes credits for something that the customer did.

    201 when it was booked, 200 when it had been: the same `idempotency_key` with the same content answers the first
    result, with other content `idempotency_conflict`. A charge that was refused leaves no trace and may be sent again
    under its key. `amount` is answered as it was sent, positive. A demo customer is never charged: 200 with `id` null
    and an amount of 0. `insufficient_credits` says in its details what was `needed` and what is `available`.
    """
    result = services.charge_credits(
        user_id=customer_by_external_id(body.user).pk,
        amount=body.amount,
        idempotency_key=namespaced(request, body.idempotency_key),
        action_type=body.action_type,
        description=body.description,
        reference=body.reference,
        metadata=body.kept_metadata(),
    )
    return entry(result)


@router.post("/charges/batch", response=answers({200: ChargeResults}), summary="Charge many at once")
def post_charges(request: HttpRequest, body: ChargesIn) -> Any:
    """Books up to 5,000 charges in their order, each seeing the ones before it, as one by one would.

    A charge that is refused is `rejected` in its place with the code that it would have alone, and writes nothing; the
    others are booked together. Send the whole batch again when you do not know what became of it.
    """
    charges = [charge for charge in body.charges if isinstance(charge, ChargeIn)]
    known = customer_ids([charge.user for charge in charges])
    postings = [_posting(request, charge, known) for charge in charges if charge.user in known]
    outcomes = iter(services.post_batch(postings) if postings else [])
    return ChargeResults(results=[_result(index, charge, known, outcomes) for index, charge in enumerate(body.charges)])


def _posting(request: HttpRequest, charge: ChargeIn, known: Mapping[str, int]) -> Posting:
    return Posting(
        user_id=known[charge.user],
        kind=TransactionKind.USAGE,
        amount=-charge.amount,
        idempotency_key=namespaced(request, charge.idempotency_key),
        action_type=charge.action_type,
        description=charge.description,
        reference=charge.reference,
        metadata=charge.kept_metadata(),
    )


def _result(index: int, charge: ChargeIn | ApiError, known: Mapping[str, int], outcomes: Any) -> ChargeResult:
    if isinstance(charge, ApiError):
        return rejected(index, charge, ChargeResult)
    if charge.user not in known:
        return rejected(index, UnknownCustomer(charge.user), ChargeResult)
    outcome: Outcome = next(outcomes)
    if isinstance(outcome, Rejection):
        return rejected(index, outcome.error, ChargeResult)
    if isinstance(outcome, HoldResult):
        raise TypeError("a charge makes an entry")
    status: Literal["created", "replayed"] = "replayed" if outcome.replayed else "created"
    return ChargeResult(index=index, status=status, id=outcome.transaction_id, balance_after=outcome.balance_after)


@router.post("/refunds", response=answers({200: EntryOut, 201: EntryOut}, 404, 409), summary="Refund a charge")
def post_refund(request: HttpRequest, body: RefundIn) -> Any:
    """Gives back a usage, or a part of it, to the lots that it was taken from.

    The usage may have been booked by any of your keys, as a charge or by capturing a hold. Together the refunds of one
    usage never exceed it: `refund_too_large`. Nothing but a usage can be refunded here: `not_reversible`.
    """
    return entry(
        services.refund_usage(
            transaction_id=body.transaction,
            amount=body.amount,
            reason=body.reason,
            idempotency_key=namespaced(request, body.idempotency_key),
        )
    )
