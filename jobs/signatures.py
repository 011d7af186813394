"""How the product knows that a message is ours: a signature over the time and the exact bytes, as Stripe makes them."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

HEADER = "Backoffice-Signature"


def signature(body: bytes, *, secrets: Sequence[str], at: datetime) -> str:
    """``t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">``, with one v1 for each secret."""
    told = str(int(at.timestamp()))
    signed = told.encode() + b"." + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={told}", *(f"v1={digest}" for digest in digests)])
