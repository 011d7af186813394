"""What was bought in a checkout session: packs of credits, told by the prices of its line items."""

from collections.abc import Sequence
from decimal import Decimal

from billing import selectors, stripe_api
from billing.errors import Parked
from billing.facts import LineItem, Told
from billing.stripe_api import Answers
from credits.amounts import check_amount
from credits.errors import InvalidAmount


def credits_of_orders(sessions: Sequence[Told], answers: Answers) -> Decimal:
    """Pack x quantity over the line items of a payment's sessions. Raises Parked, AnswerNeeded, StripeCallFailed."""
    # The same session may be told twice, as completed and as paid later.
    listed = {session.session_id: session.line_items for session in sessions if session.line_items is not None}
    asked = {session.session_id for session in sessions} - listed.keys()
    orders = [*listed.values(), *(_asked_of_stripe(session_id, answers) for session_id in sorted(asked))]
    return _total([item for items in orders for item in items])


def _asked_of_stripe(session_id: str, answers: Answers) -> Sequence[LineItem]:
    if not session_id:
        raise Parked("The session has no id, so what was bought cannot be read from Stripe. Look the payment up there.")
    if not stripe_api.is_configured():
        raise Parked(
            "The session does not list what was bought, and without STRIPE_SECRET_KEY it cannot be read from Stripe. "
            "Set the key and replay, or give the credits by hand."
        )
    listed: Sequence[LineItem] = answers.to("line items", session_id)
    return listed


def _total(items: Sequence[LineItem]) -> Decimal:
    packs = selectors.packs_by_price({item.price_id for item in items})
    unknown = sorted({item.price_id or "no price" for item in items if item.price_id not in packs})
    if unknown:
        raise Parked(
            f"No credit pack has the price {', '.join(unknown)}. Enter it on the pack that was bought, then replay."
        )
    try:
        return check_amount(sum((packs[item.price_id].credits * _quantity(item) for item in items), Decimal(0)))
    except InvalidAmount as error:
        raise Parked(f"The line items do not add up to credits: {error} Look the session up in Stripe.") from error


def _quantity(item: LineItem) -> int:
    if item.quantity is None or item.quantity < 1:
        raise Parked(f"The order does not say how often {item.price_id} was bought. Look the session up in Stripe.")
    return item.quantity
