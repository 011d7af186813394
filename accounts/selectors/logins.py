"""Reads of how staff log in: their second factors and the browsers they are logged in with."""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import StaffMember, StaffSession, User
from backoffice.lib import clock

Type = Authenticator.Type


def staff_by_email(email: str) -> StaffMember | None:
    """The member of staff with this address, in any case."""
    return StaffMember.objects.with_email(email).first()


def second_factors(member: User) -> QuerySet[Authenticator]:
    """All that ``member`` may prove themselves with beside the password, recovery codes included, oldest first."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user=member).order_by("created_at", "pk")
    return factors


def main_factors(member: User) -> QuerySet[Authenticator]:
    """The authenticator app and the passkeys: what a second factor can begin with."""
    return second_factors(member).filter(type__in=(Type.TOTP, Type.WEBAUTHN))


def has_second_factor(member: User) -> bool:
    """Whether ``member`` is enrolled."""
    return main_factors(member).exists()


def live_sessions(member: User) -> QuerySet[StaffSession]:
    """Where ``member`` is logged in now, the browser that was used last first."""
    now = clock.now()
    return StaffSession.objects.filter(
        user=member,
        last_seen_at__gt=now - settings.SESSION_IDLE_AGE,
        started_at__gt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE),
    ).order_by("-last_seen_at", "public_id")
