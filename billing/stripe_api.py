"""The calls to Stripe. Never inside a transaction: nobody's rows stay locked while another company thinks."""

import stripe
from django.conf import settings

from billing.errors import StripeCallFailed
from billing.facts import LineItem, line_item

TIMEOUT_SECONDS = 10


def is_configured() -> bool:
    """Whether there is a key to call Stripe with."""
    return bool(settings.STRIPE_SECRET_KEY)


def line_items(session_id: str) -> list[LineItem]:
    """All line items of a checkout session. Raises StripeCallFailed."""
    try:
        page = _client().v1.checkout.sessions.line_items.list(session_id, {"limit": 100})
        return [line_item(item.to_dict()) for item in page.auto_paging_iter()]
    except stripe.StripeError as error:
        raise StripeCallFailed(f"Stripe could not be asked for the line items of {session_id}: {error}") from error


class LineItems:
    """The line items of sessions, asked of Stripe between two attempts to process an event."""

    def __init__(self) -> None:
        self._known: dict[str, list[LineItem] | Exception] = {}

    def of(self, session_id: str) -> list[LineItem]:
        """Raises KeyError if Stripe was not asked yet, and what went wrong if it was in vain."""
        found = self._known[session_id]
        if isinstance(found, Exception):
            raise found
        return found

    def fetch(self, session_id: str) -> None:
        """Ask Stripe now, and keep the answer or the failure."""
        try:
            self._known[session_id] = line_items(session_id)
        except Exception as error:  # noqa: BLE001 (raised again where the failure of an event is kept)
            self._known[session_id] = error


def _client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        max_network_retries=1,
    )
