"""The calls to Stripe. Never inside a transaction: nobody's rows stay locked while another company thinks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import stripe
from django.conf import settings

from billing.errors import BillingError, StripeCallFailed, StripeNotConfigured
from billing.facts import LineItem, line_item
from billing.payloads import value_at
from billing.readings.refunds import OUR_KEY

TIMEOUT_SECONDS = 10
# More ways to pay than anybody has.
METHODS_SHOWN = 50


def is_configured() -> bool:
    """Whether there is a key to call Stripe with."""
    return bool(settings.STRIPE_SECRET_KEY)


def is_live_key() -> bool:
    """Whether our key is of Stripe's live mode; what its name does not tell, our settings do."""
    return (mode_of_key() or our_mode()) == "live"


def mode_of_key() -> str:
    """``live`` or ``test``, as the key's name tells; empty if it does not."""
    return next((mode for mode in ("live", "test") if f"_{mode}_" in settings.STRIPE_SECRET_KEY[:9]), "")


def our_mode() -> str:
    """The mode of Stripe's whose events we apply."""
    return "live" if settings.STRIPE_LIVEMODE else "test"


@dataclass(frozen=True)
class Question:
    """What is asked of Stripe: the line items of a session, or an object as it is now, by its id."""

    kind: str
    object_id: str


class AnswerNeeded(BillingError):
    """Stripe must be asked first, outside of any transaction."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"The {question.kind} of {question.object_id} must be read from Stripe first.")
        self.question = question


class Answers:
    """What Stripe was asked between two attempts to process an event, and what it said."""

    def __init__(self) -> None:
        self._known: dict[Question, Any] = {}

    def to(self, kind: str, object_id: str) -> Any:
        """The answer. Raises AnswerNeeded if Stripe was not asked yet, StripeCallFailed if it was in vain."""
        question = Question(kind, object_id)
        if question not in self._known:
            raise AnswerNeeded(question)
        answer = self._known[question]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def fetch(self, question: Question) -> None:
        """Ask Stripe now, and keep the answer or the failure."""
        try:
            self._known[question] = ASK[question.kind](question.object_id)
        except stripe.StripeError as error:
            self._known[question] = StripeCallFailed(
                f"Stripe could not be asked for the {question.kind} of {question.object_id}: {error}"
            )
        except Exception as error:  # noqa: BLE001 (raised again where the failure of an event is kept)
            self._known[question] = error


def _line_items(session_id: str) -> list[LineItem]:
    page = client().v1.checkout.sessions.line_items.list(session_id, {"limit": 100})
    return [line_item(item.to_dict()) for item in page.auto_paging_iter()]


def _subscription(subscription_id: str) -> dict[str, Any]:
    found = client().v1.subscriptions.retrieve(subscription_id, {"expand": ["discounts", "items.data.discounts"]})
    return found.to_dict()


def _subscription_items(subscription_id: str) -> list[dict[str, Any]]:
    page = client().v1.subscription_items.list({"subscription": subscription_id, "limit": 100})
    return [item.to_dict() for item in page.auto_paging_iter()]


def _coupon(coupon_id: str) -> dict[str, Any]:
    return client().v1.coupons.retrieve(coupon_id, {"expand": ["applies_to"]}).to_dict()


def _invoice(invoice_id: str) -> dict[str, Any]:
    return client().v1.invoices.retrieve(invoice_id).to_dict()


def _invoice_lines(invoice_id: str) -> list[dict[str, Any]]:
    page = client().v1.invoices.line_items.list(invoice_id, {"limit": 100})
    return [line.to_dict() for line in page.auto_paging_iter()]


def _refund(refund_id: str) -> dict[str, Any]:
    return client().v1.refunds.retrieve(refund_id).to_dict()


def _dispute(dispute_id: str) -> dict[str, Any]:
    return client().v1.disputes.retrieve(dispute_id).to_dict()


def create_refund(*, payment_intent: str, amount: int, refund_id: int, idempotency_key: str) -> dict[str, Any]:
    """Have Stripe give ``amount`` (in its units) back, and answer its refund. Raises stripe.StripeError.

    Tried once: whether to try again is for who knows what became of the first time.
    """
    made = client().v1.refunds.create(
        {"payment_intent": payment_intent, "amount": amount, "metadata": {OUR_KEY: str(refund_id)}},
        {"idempotency_key": idempotency_key, "max_network_retries": 0},
    )
    return made.to_dict()


def find_refund(*, payment_intent: str, refund_id: int) -> dict[str, Any] | None:
    """Stripe's refund of a payment that names ours, ``refund_id``, if there is one. Raises stripe.StripeError."""
    page = client().v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
    refunds = (refund.to_dict() for refund in page.auto_paging_iter())
    return next((each for each in refunds if value_at(each, "metadata", OUR_KEY) == str(refund_id)), None)


def _price(price_id: str) -> dict[str, Any]:
    return client().v1.prices.retrieve(price_id).to_dict()


def _product(product_id: str) -> dict[str, Any]:
    return client().v1.products.retrieve(product_id).to_dict()


ASK: Mapping[str, Callable[[str], Any]] = {
    "line items": _line_items,
    "subscription": _subscription,
    "subscription items": _subscription_items,
    "coupon": _coupon,
    "invoice": _invoice,
    "invoice lines": _invoice_lines,
    "refund": _refund,
    "dispute": _dispute,
    "price": _price,
    "product": _product,
}


def payment_methods_of(stripe_customer_id: str) -> list[dict[str, Any]]:
    """How a customer of Stripe's can pay. Raises StripeNotConfigured, StripeCallFailed."""
    if not is_configured():
        raise StripeNotConfigured
    try:
        page = client().v1.customers.payment_methods.list(stripe_customer_id, {"limit": METHODS_SHOWN})
    except stripe.StripeError as error:
        raise StripeCallFailed(f"Stripe could not be asked for the payment methods: {error}") from error
    return [method.to_dict() for method in page.data]


def client() -> stripe.StripeClient:
    """For calls with our key, tried twice and each given up after TIMEOUT_SECONDS."""
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        max_network_retries=1,
    )
