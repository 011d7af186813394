"""Where Stripe delivers. An event is verified, kept and acknowledged; what it means is found out later."""

import stripe
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backoffice.lib import clock
from backoffice.lib.nudge import nudge
from billing.errors import MalformedEvent
from billing.services.inbox import receive_event
from billing.tasks import process_stripe_event

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
TOLERANCE_SECONDS = 300
MAX_HEADER_LENGTH = 4096


class Refused(Exception):
    """The delivery is answered with ``status`` and not kept."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


# Stripe sends no token of ours and no cookie; its signature proves more than a token would.
@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Keep a signed event and answer at once; whatever is not Stripe's is refused and leaves no row."""
    try:
        body = _body(request)
        _verify(body, request.headers.get("Stripe-Signature", ""))
        event = receive_event(body=body)
    except Refused as refusal:
        return _answer(refusal.status, str(refusal))
    except MalformedEvent as error:
        return _answer(400, str(error))
    except (OperationalError, InterfaceError):
        # Stripe delivers again, for days, until it is told that we have it.
        log.exception("stripe_event_not_kept")
        return _answer(503, "The event could not be kept. Deliver it again.")
    if event is None:
        return _answer(200, "This event is kept already.")
    nudge(process_stripe_event, event.pk)
    return _answer(200, "Kept.")


def _body(request: HttpRequest) -> bytes:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_BODY_BYTES:
        raise Refused(413, "The body is too large.")
    try:
        # Never more than the limit is read, whatever length was declared.
        body = request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError as error:
        raise Refused(400, "The body could not be read.") from error
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, "The body is too large.")
    return body


def _verify(body: bytes, header: str) -> None:
    secrets = [secret.strip() for secret in settings.STRIPE_WEBHOOK_SECRETS if secret.strip()]
    if not secrets:
        raise Refused(503, "STRIPE_WEBHOOK_SECRETS is not set, so no delivery can be verified.")
    # The library compares any text that the header holds, and some makes it raise.
    if len(header) > MAX_HEADER_LENGTH or not header.isascii():
        raise Refused(400, "The signature does not fit.")
    if not any(_is_signed_with(secret, body, header) for secret in secrets):
        raise Refused(400, "The signature does not fit.")
    # By our own clock and both ways: the library lets a signature from the future pass.
    if abs(int(clock.now().timestamp()) - _signed_at(header)) > TOLERANCE_SECONDS:
        raise Refused(400, "The signature is too old or from the future.")


def _is_signed_with(secret: str, body: bytes, header: str) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body, header, secret)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False


def _signed_at(header: str) -> int:
    """The time that the verified signature covers, found in the header as the library finds it."""
    parts = [part.split("=") for part in header.split(",")]
    return next(int(part[1]) for part in parts if part[0] == "t")


def _answer(status: int, message: str) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
