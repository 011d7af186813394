"""What each type of event does. A type that is not listed is kept and ignored."""

from collections.abc import Callable, Mapping

from billing.handlers.payments import on_intent_succeeded, on_session_completed
from billing.models import StripeEvent
from billing.stripe_api import Answers

# Applies one event inside the transaction of its processing. Raises NotApplied, AnswerNeeded.
Handler = Callable[[StripeEvent, Answers], None]

HANDLERS: Mapping[str, Handler] = {
    "payment_intent.succeeded": on_intent_succeeded,
    "checkout.session.completed": on_session_completed,
    "checkout.session.async_payment_succeeded": on_session_completed,
}
