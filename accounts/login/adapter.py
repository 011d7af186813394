"""What allauth is told of this house: who may log in, what counts as a proof, what is written down."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import one_time_codes
from accounts.login import devices, guard
from accounts.login.backends import StaffBackend
from accounts.login.visitor import session_of
from accounts.models import User
from accounts.services import sign_ins
from audit import context
from backoffice.lib import browsers
from backoffice.lib.admin import step_up

SHOWN_HASH = "login_shown_hash"


class StaffAdapter(DefaultAccountAdapter):
    """Staff only, by email and password; addresses are those of ``User`` and managed by super admins."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return context.current().ip or ""

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        guard.tell_of_failure(request, credentials["email"], guard.PASSWORD)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        # A password that is changed while the second factor is asked for is not the one that was shown.
        request.session[SHOWN_HASH] = user.get_session_auth_hash()
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        shown = request.session.pop(SHOWN_HASH, None)
        if shown != user.get_session_auth_hash() or not StaffBackend().user_can_authenticate(user):
            messages.error(request, "Something about your account has just changed: log in again.")
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        with transaction.atomic():
            super().login(request, user)
            sign_ins.record_sign_in(
                member=user, second_factor=_second_factor(request, user), session=session_of(request).public_id
            )

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        devices.remember(request, response, user.email)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("account_login")

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(allauth_context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """One page, which asks for what the person has."""
        return [{"id": "step_up", "description": "Confirm that it is you", "url": reverse("account_reauthenticate")}]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not step_up.is_fresh(allauth_context.request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are kept encrypted; passkeys are named after the house."""

    def encrypt(self, text: str) -> str:
        return one_time_codes.cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return one_time_codes.cipher().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return browsers.describe(context.current().user_agent)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": self.get_totp_issuer()}


def _second_factor(request: HttpRequest, user: User) -> str:
    kinds = [record["type"] for record in get_authentication_records(request, user) if record["method"] == "mfa"]
    return kinds[-1] if kinds else ""
