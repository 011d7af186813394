"""All lines of an invoice, of which an event lists the first few."""

from billing import stripe_api
from billing.errors import Parked
from billing.readings.invoices import InvoiceTold
from billing.stripe_api import Answers


def with_all_lines(told: InvoiceTold, answers: Answers) -> InvoiceTold:
    """The invoice with every line. Raises Parked, AnswerNeeded, StripeCallFailed."""
    if not told.has_more_lines:
        return told
    if not stripe_api.is_configured():
        raise Parked(
            "The invoice has more lines than it lists, and without STRIPE_SECRET_KEY they cannot be read from Stripe. "
            "Set the key and replay, or settle by hand what it gives: the customer's allowance, and credits of packs."
        )
    return told.with_lines(answers.to("invoice lines", told.id))
