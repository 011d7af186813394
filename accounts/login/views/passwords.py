"""A new password: by whoever is logged in, or by a link in a mail for whoever cannot."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.generic import FormView, TemplateView

from accounts.login import devices, notices
from accounts.login.forms import OwnPasswordForm, ResetRequestForm
from accounts.login.visitor import member_of
from accounts.models import User
from accounts.services import passwords, reset_customer_password
from accounts.tasks import mail_reset_link
from backoffice.lib.nudge import nudge


class OwnPasswordView(PasswordChangeView):
    """The password of whoever is logged in, who stays so here and nowhere else."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("account_security")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request), "title": "Password"}

    def form_valid(self, form: Any) -> HttpResponse:
        member = member_of(self.request)
        passwords.change_own_password(member=member, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(self.request, member)
        notices.send(member, "the password was changed")
        messages.success(self.request, "Your password was changed. Your other sessions were ended.")
        return redirect(self.get_success_url())


class AskForResetView(FormView):
    """Asks for an address, and says the same whoever it belongs to."""

    form_class = ResetRequestForm
    template_name = "account/password_reset.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sends_mail": bool(settings.EMAIL_URL)}

    def form_valid(self, form: ResetRequestForm) -> HttpResponse:
        member = passwords.ask_for_reset(email=form.cleaned_data["email"]) if settings.EMAIL_URL else None
        if member is not None:
            # A worker writes the mail: how long that takes would tell who is on the staff.
            nudge(mail_reset_link, member.pk, self.request.build_absolute_uri("/"))
        return redirect("account_reset_password_done")


class ResetAskedView(TemplateView):
    template_name = "account/password_reset_done.html"


class ResetView(PasswordResetConfirmView):
    """Where the link in the mail leads. Whoever has the mailbox is no stranger: the browser is known from then on."""

    template_name = "account/password_reset_from_key.html"
    success_url = reverse_lazy("account_login")

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        if user is None or not user.is_active:
            return None
        # Customers log in to the product; one who was given a password here may be sent a link for a new one.
        return user if user.is_staff or user.has_usable_password() else None

    def form_valid(self, form: Any) -> HttpResponse:
        member: Any = self.user
        if not member.is_staff:
            reset_customer_password(customer=member, password=form.cleaned_data["new_password1"])
            del self.request.session["_password_reset_token"]
            return render(self.request, "account/customer_password_changed.html")
        passwords.reset_own_password(member=member, password=form.cleaned_data["new_password1"])
        del self.request.session["_password_reset_token"]
        notices.send(member, "the password was changed, by a link in a mail")
        messages.success(self.request, "Your password was changed. Log in with it.")
        response = redirect(self.get_success_url())
        devices.remember(self.request, response, member.email)
        return response
