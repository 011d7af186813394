"""The forms of the login and of what proves who somebody is."""

import json
from functools import partial
from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import reauthentication
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError

from accounts.login import guard
from accounts.models import User
from accounts.services import second_factors

NOT_YOURS = "That is not your password."
UNREADABLE = "The browser's answer could not be read. Try again."
# Browsers send about a thousand characters; some add the certificates of the maker of the key.
LONGEST_CREDENTIAL = 20_000
CODE_INPUT = forms.TextInput(
    attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
)


class CredentialField(forms.CharField):
    """What the browser answers for a passkey: a JSON object, which is all that is known of it here."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(max_length=LONGEST_CREDENTIAL, error_messages={"required": UNREADABLE})

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            credential = json.loads(super().clean(value))
        except (ValueError, RecursionError) as error:
            raise ValidationError(UNREADABLE) from error
        # An empty one would pass for none further on. It is kept as it came, in JSON, which in PostgreSQL holds no NUL.
        if not isinstance(credential, dict) or not credential or "\\u0000" in json.dumps(credential):
            raise ValidationError(UNREADABLE)
        return credential


class LoginForm(account_forms.LoginForm):
    """Email and password, under the names that the stock admin's login gave them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Email"
        self.fields["login"].widget.attrs.update(autocomplete="username", autofocus=True)
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix("username" if field_name == "login" else field_name)


class CodeForm(AuthenticateForm):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(label="Code", max_length=40, widget=CODE_INPUT)
    reauthenticated = False
    method = "code"

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        prove = partial(second_factors.use_code, member=self.user, code=code)
        self.authenticator = guard.second_factor(context.request, self.user, prove)
        return code

    def save(self) -> None:
        post_authentication(context.request, self.authenticator, reauthenticated=self.reauthenticated)


class PasskeyForm(AuthenticateWebAuthnForm):
    """A passkey that was set up before."""

    credential = CredentialField()
    method = "passkey"

    def clean_credential(self) -> Authenticator:
        prove = partial(_proven_passkey, self.user, self.cleaned_data["credential"])
        return guard.second_factor(context.request, self.user, prove)


class StepUpCodeForm(CodeForm):
    reauthenticated = True


class StepUpPasskeyForm(PasskeyForm):
    reauthenticated = True


class StepUpPasswordForm(forms.Form):
    """The password anew, of somebody without a second factor."""

    password = forms.CharField(
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    method = "password"

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError(NOT_YOURS)
        return password

    def save(self) -> None:
        reauthentication.reauthenticate_by_password(context.request)


class OwnPasswordForm(PasswordChangeForm):
    """A new password beside the old one, at which nobody guesses without being counted."""

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError(NOT_YOURS)
        return password


class AddAppForm(forms.Form):
    """The first code of an authenticator app, which shows that it was set up."""

    code = forms.CharField(label="Code that the app shows", max_length=40, widget=CODE_INPUT)


class AddPasskeyForm(AddWebAuthnForm):
    """A new passkey, as the browser made it."""

    name = forms.CharField(max_length=60, label="Name", help_text="Which device or key it is, such as Work laptop.")
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except _UNREADABLE as error:
            raise ValidationError(UNREADABLE) from error


class ResetRequestForm(forms.Form):
    """The address to which a link is to be sent."""

    email = forms.EmailField(
        label="Email", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )


# What reading an answer raises that no browser makes.
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


def _proven_passkey(member: User, credential: Any) -> Authenticator | None:
    try:
        webauthn.parse_authentication_response(credential)
        return webauthn.complete_authentication(member, credential)
    except (ValidationError, *_UNREADABLE):
        return None
