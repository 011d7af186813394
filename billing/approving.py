"""Refunds that a second person may have to allow: what is kept of a request, and how it is done in the end."""

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from backoffice.lib.money import format_money
from backoffice.lib.nudge import nudge
from billing.models import CreditPolicy
from billing.services.refunding import request_refund

MAKE_REFUND = "billing.tasks.make_refund"


def refund_params(payment_id: int, amount_minor: int, policy: CreditPolicy) -> dict[str, Any]:
    """Params of a refund of ``amount_minor`` units of a payment's currency."""
    return {"payment": payment_id, "amount_minor": amount_minor, "policy": str(policy)}


def run_refund(params: Mapping[str, Any], *, requested_by: User, decided_by: User, reason: str, key: str) -> str:
    """Keep a refund that was allowed. A worker asks Stripe for it: this is called inside a transaction."""
    refund = request_refund(
        payment_id=params["payment"],
        amount_minor=params["amount_minor"],
        policy=CreditPolicy(params["policy"]),
        reason=reason,
        actor=requested_by,
        approved_by=decided_by,
        idempotency_key=key,
    )
    nudge(MAKE_REFUND, refund.pk)
    amount = format_money(refund.amount_minor, refund.payment.currency)
    return f"Stripe is being asked to give {amount} back: the payment's page says what came of it."
