"""The six digits of an authenticator app (RFC 6238), recovery codes, and how the secrets of both are kept."""

import base64
import hashlib

import structlog
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from backoffice.lib import clock

log = structlog.get_logger(__name__)


def counter_of(secret: str, code: str) -> int | None:
    """The step of time whose code this is, or None. A clock may be a step behind or ahead."""
    if not secret:
        return None
    now = int(clock.now().timestamp()) // app_settings.TOTP_PERIOD
    for counter in range(now - app_settings.TOTP_TOLERANCE, now + app_settings.TOTP_TOLERANCE + 1):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return counter
    return None


def secret_of(app: Authenticator) -> str:
    """The secret of an enrolled app; empty, and so of no use, when it was kept under another SECRET_KEY."""
    try:
        return str(decrypt(app.data["secret"]))
    except InvalidToken:
        _tell(app)
        return ""


def use_recovery_code(kept: Authenticator, code: str) -> bool:
    """Whether ``code`` is among those that are left of ``kept``, and it then is no more."""
    try:
        return bool(RecoveryCodes(kept).validate_code(code))
    except InvalidToken:
        _tell(kept)
        return False


def recovery_codes_left(kept: Authenticator) -> list[str]:
    """Those not used yet; none when they were made under another SECRET_KEY."""
    try:
        return list(RecoveryCodes(kept).get_unused_codes())
    except InvalidToken:
        _tell(kept)
        return []


def cipher() -> Fernet:
    """What secrets are kept under, so that a copy of the database alone lets nobody in."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second-factor:" + settings.SECRET_KEY.encode()).digest()))


def _tell(factor: Authenticator) -> None:
    log.error("second factor unreadable: SECRET_KEY has changed", kind=factor.type, authenticator=factor.pk)
