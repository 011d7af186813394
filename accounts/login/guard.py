"""Limits on guessing, counted by axes in PostgreSQL: of passwords and of second factors, each by itself.

Strangers are counted by account and address, by address, and by account from all addresses together. A browser that
the person has logged in with before is counted by itself alone, so that no stranger's failures shut its owner out.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.login import devices
from accounts.models import User
from accounts.services import sign_ins
from audit import context

# Failures within AXES_COOLOFF_TIME after which a door is shut for as long.
BY_ACCOUNT_AND_ADDRESS, BY_ADDRESS, BY_ACCOUNT, BY_DEVICE = 5, 50, 15, 10
PASSWORD, SECOND_FACTOR = "password", "second factor"
WRONG = "That is not right, or it was used before. Try again with a new one."
SHUT = "Too many tries."
# Whoever has an address of version 6 has a network of them.
PREFIX = 64

Credentials = Mapping[str, Any] | None
T = TypeVar("T")


def network(request: HttpRequest) -> str | None:
    """Where the client is, as it is counted: its address, of version 6 the network that it may choose from."""
    ip = context.current().ip
    if ip is None or ip_address(ip).version == 4:
        return ip
    return str(ip_network(f"{ip}/{PREFIX}", strict=False).network_address)


def subject(request: HttpRequest, credentials: Credentials) -> str:
    """What a failure is counted for: the known browser, else the account, in either case for one step of the login."""
    email = _email(credentials)
    device = devices.known(request, email)
    who = f"browser {device}" if device else email
    return f"{_step(credentials)}: {who}"[:255]


def counters(request: Any, credentials: Credentials) -> list[str | list[str]]:
    """Which failures are added up; the limits of each stand in the same order in ``_limits``."""
    if devices.known(request, _email(credentials)) or network(request) is None:
        return ["username"]
    return [["username", "ip_address"], "ip_address", "username"]


def _limits(request: HttpRequest, credentials: Credentials) -> list[int]:
    if devices.known(request, _email(credentials)):
        return [BY_DEVICE]
    return [BY_ACCOUNT] if network(request) is None else [BY_ACCOUNT_AND_ADDRESS, BY_ADDRESS, BY_ACCOUNT]


class LoginGuard(AxesDatabaseHandler):
    """Axes with a limit for each counter, where it has one for all: it is told how full the fullest is, in percent."""

    def user_login_failed(self, sender: Any, credentials: Credentials, request: Any = None, **kwargs: Any) -> None:
        # Headers are kept beside a failure, and PostgreSQL keeps no NUL.
        for name in ("axes_user_agent", "axes_http_accept", "axes_path_info"):
            setattr(request, name, getattr(request, name).replace("\0", ""))
        super().user_login_failed(sender, credentials, request, **kwargs)

    def get_failures(self, request: HttpRequest, credentials: Credentials = None) -> int:
        sums = [
            attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        ]
        limits = _limits(request, credentials)
        return max(100 * failures // limit for failures, limit in zip(sums, limits, strict=True))


def second_factor(request: HttpRequest, member: User, prove: Callable[[], T | None]) -> T:
    """What ``prove`` finds. Raises ValidationError when that is nothing, or when there were too many tries before."""
    credentials = {"email": member.email, "step": SECOND_FACTOR}
    if not AxesProxyHandler.is_allowed(request, credentials):
        request.axes_locked_out = True  # type: ignore[attr-defined]
        raise ValidationError(SHUT)
    found = prove()
    if found is None:
        AxesProxyHandler.user_login_failed(sender=__name__, credentials=credentials, request=request)
        tell_of_failure(request, member.email, SECOND_FACTOR)
        raise ValidationError(WRONG)
    return found


def tell_of_failure(request: HttpRequest, email: str, step: str) -> None:
    """Into the audit log; of what is tried at a shut door, nothing, or the log were the attacker's to fill."""
    # Axes works this out for each failure that it counts, and counts none at a shut door.
    if request.axes_failures_since_start is None:  # type: ignore[attr-defined]
        return
    member = request.user if request.user.is_authenticated else None
    sign_ins.record_failure(email=email, step=step, member=member, is_locked=request.axes_locked_out)  # type: ignore[attr-defined]


def lockout_response(request: HttpRequest, response: HttpResponse, credentials: Credentials) -> HttpResponse:
    """The page that says what to do when the door is shut."""
    wait: timedelta = settings.AXES_COOLOFF_TIME
    minutes = int(wait.total_seconds() // 60)
    page = render(request, "account/lockout.html", {"minutes": minutes}, status=429)
    page.headers["Retry-After"] = str(int(wait.total_seconds()))
    return page


def _email(credentials: Credentials) -> str:
    return str((credentials or {}).get("email") or "").lower()


def _step(credentials: Credentials) -> str:
    return str((credentials or {}).get("step", PASSWORD))
