"""Second factors of staff: the authenticator app, passkeys, and recovery codes for the day both are lost."""

from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.conf import settings
from django.db import transaction

from accounts import one_time_codes, selectors
from accounts.errors import LastSecondFactor
from accounts.models import StaffSession, User
from audit.actions import Action
from audit.services import Resource, record

Type = Authenticator.Type
LAST_COUNTER = "last_counter"


@transaction.atomic
def add_app(*, member: User, secret: str, code: str) -> Authenticator | None:
    """Enrol the authenticator app that holds ``secret`` and shows ``code``.

    None when it shows another one, or when there is an app already: nobody has two.
    """
    _lock(member)
    if selectors.main_factors(member).filter(type=Type.TOTP).exists():
        return None
    counter = one_time_codes.counter_of(secret, code)
    if counter is None:
        return None
    factor = TOTP.activate(member, secret).instance
    # The code that proves the app is used up by that.
    factor.data[LAST_COUNTER] = counter
    factor.save(update_fields=["data"])
    _added(member, factor)
    return factor


@transaction.atomic
def add_passkey(*, member: User, name: str, credential: Mapping[str, Any]) -> Authenticator:
    """Enrol the passkey whose registration was proven to be ``credential``."""
    _lock(member)
    factor = WebAuthn.add(member, name, dict(credential)).instance
    _added(member, factor)
    return factor


@transaction.atomic
def remove_factor(*, member: User, factor_id: int) -> None:
    """Take a factor of ``member`` away, with the recovery codes when it was the last.

    Raises LastSecondFactor where one is required, Authenticator.DoesNotExist.
    """
    _lock(member)
    factor = selectors.main_factors(member).get(pk=factor_id)
    is_last = selectors.main_factors(member).count() == 1
    if is_last and settings.STAFF_MFA_REQUIRED:
        raise LastSecondFactor
    factor.delete()
    if is_last:
        selectors.second_factors(member).delete()
    _tell(Action.SECOND_FACTOR_REMOVED, member, member, old_values={"kind": factor.type, "factor": factor_id})


@transaction.atomic
def renew_recovery_codes(*, member: User) -> None:
    """Make new recovery codes; the old ones are worth nothing from then on."""
    _lock(member)
    selectors.second_factors(member).filter(type=Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(member)
    _tell(Action.RECOVERY_CODES_MADE, member, member)


@transaction.atomic
def reset_second_factor(*, member: User, actor: User | None, reason: str) -> int:
    """Take all second factors of ``member``, who lost them, and end their sessions; how many factors there were.

    ``actor`` None is somebody at the server's shell.
    """
    _lock(member)
    factors = list(selectors.second_factors(member).values_list("type", flat=True))
    selectors.second_factors(member).delete()
    StaffSession.objects.filter(user=member).delete()
    _tell(Action.SECOND_FACTOR_RESET, member, actor, old_values={"kinds": sorted(factors)}, reason=reason)
    return len(factors)


@transaction.atomic
def use_code(*, member: User, code: str) -> Authenticator | None:
    """The factor that ``code`` proves: the app's code or a recovery code. None when it is wrong or was used before."""
    factors = {factor.type: factor for factor in selectors.second_factors(member).select_for_update()}
    app, recovery = factors.get(Type.TOTP), factors.get(Type.RECOVERY_CODES)
    if app is not None and _use_app_code(app, code):
        return app
    if recovery is not None and one_time_codes.use_recovery_code(recovery, code):
        return recovery
    return None


def _use_app_code(app: Authenticator, code: str) -> bool:
    counter = one_time_codes.counter_of(one_time_codes.secret_of(app), code)
    # Codes go forward only, so none works twice, nor does an older one after a newer.
    if counter is None or counter <= app.data.get(LAST_COUNTER, -1):
        return False
    app.data[LAST_COUNTER] = counter
    app.save(update_fields=["data"])
    return True


def _lock(member: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=member.pk)


def _added(member: User, factor: Authenticator) -> None:
    _tell(Action.SECOND_FACTOR_ADDED, member, member, new_values={"kind": factor.type, "factor": factor.pk})
    if not selectors.second_factors(member).filter(type=Type.RECOVERY_CODES).exists():
        RecoveryCodes.activate(member)
        _tell(Action.RECOVERY_CODES_MADE, member, member)


def _tell(action: Action, member: User, actor: User | None, **more: Any) -> None:
    record(action=action, actor=actor, resource=Resource.of(member), **more)
