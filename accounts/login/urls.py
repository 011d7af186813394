"""Addresses of the login and of a member's own account. They stand before the admin's own, whose login they replace.

The names that begin with ``account_`` and ``mfa_`` are those by which allauth knows the pages. What of allauth is not
here, signing up first of all, does not exist.
"""

from allauth.mfa.base.views import AuthenticateView
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from accounts.login.gate import before_second_factor
from accounts.login.views import account, enrolment, entrance, passwords, recovery_codes
from accounts.login.views.step_up import StepUpView

inside = admin.site.admin_view

urlpatterns = [
    path("login/", entrance.SignInView.as_view(), name="account_login"),
    path("login/second-factor/", AuthenticateView.as_view(), name="mfa_authenticate"),
    path("logout/", before_second_factor(entrance.sign_out), name="account_logout"),
    path("password-reset/", passwords.AskForResetView.as_view(), name="account_reset_password"),
    path("password-reset/sent/", passwords.ResetAskedView.as_view(), name="account_reset_password_done"),
    path(
        "password-reset/<uidb64>/<token>/",
        passwords.ResetView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("password_change/", inside(passwords.OwnPasswordView.as_view()), name="account_change_password"),
    # Where the stock form led to.
    path("password_change/done/", inside(RedirectView.as_view(pattern_name="account_security"))),
    path("account/", inside(account.SecurityView.as_view()), name="account_security"),
    path("account/confirm/", before_second_factor(StepUpView.as_view()), name="account_reauthenticate"),
    path("account/sessions/", inside(account.SessionsView.as_view()), name="account_sessions"),
    path("account/sessions/end-others/", inside(account.end_other_sessions), name="account_end_other_sessions"),
    path("account/sessions/<uuid:public_id>/end/", inside(account.end_session), name="account_end_session"),
    path("account/second-factor/", before_second_factor(enrolment.ChooseView.as_view()), name="mfa_index"),
    path("account/second-factor/app/", before_second_factor(enrolment.AddAppView.as_view()), name="mfa_activate_totp"),
    path(
        "account/second-factor/passkey/",
        before_second_factor(enrolment.AddPasskeyView.as_view()),
        name="mfa_add_webauthn",
    ),
    path(
        "account/second-factor/<int:factor_id>/remove/",
        enrolment.RemoveFactorView.as_view(),
        name="mfa_remove_factor",
    ),
    path("account/recovery-codes/", recovery_codes.CodesView.as_view(), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/download/",
        recovery_codes.DownloadCodesView.as_view(),
        name="mfa_download_recovery_codes",
    ),
    path("account/recovery-codes/new/", recovery_codes.RenewCodesView.as_view(), name="mfa_generate_recovery_codes"),
]
