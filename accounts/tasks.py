"""Work on people that runs by the clock, and what the login leaves to workers."""

from datetime import datetime

from celery import shared_task
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import selectors, services
from accounts.login.session_store import SessionStore
from accounts.models import PasswordResetRequest, StaffMember, User


@shared_task(autoretry_for=(OSError,), retry_backoff=10, max_retries=5)
def mail_reset_link(member_id: int, origin: str) -> None:
    """Mail a member of staff the link to a new password; ``origin`` is where they asked, with a slash at its end.

    The link is made here, so that it is never in the broker.
    """
    _mail_member(member_id, origin, "A new password for the back office", "account/email/password_reset.txt")


@shared_task(autoretry_for=(OSError,), retry_backoff=10, max_retries=5)
def mail_invitation(member_id: int, origin: str) -> None:
    """Mail a new member of staff the link to their first password."""
    _mail_member(member_id, origin, "Your account for the back office", "account/email/invitation.txt")


@shared_task(autoretry_for=(OSError,), retry_backoff=10, max_retries=5)
def mail_customer_reset_link(request_id: int, origin: str) -> None:
    """Mail a customer who logs in here the link to a new password, because a member of staff asked for it."""
    request = PasswordResetRequest.objects.select_related("user").filter(pk=request_id).first()
    if request is None or not request.user.is_active or not request.user.has_usable_password():
        return
    _mail_link(request.user, origin, "Choose a new password", "account/email/customer_password_reset.txt")


def _mail_member(member_id: int, origin: str, subject: str, template: str) -> None:
    member = StaffMember.objects.filter(pk=member_id).first()
    if member is not None and member.is_active:
        _mail_link(member, origin, subject, template)


def _mail_link(user: User, origin: str, subject: str, template: str) -> None:
    key = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    told = {
        "member": user,
        "url": f"{origin.rstrip('/')}{reverse('account_reset_password_from_key', kwargs=key)}",
        "ask_again_url": f"{origin.rstrip('/')}{reverse('account_reset_password')}",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    send_mail(subject, render_to_string(template, told), None, [user.email])


@shared_task(autoretry_for=(OSError,), retry_backoff=10, max_retries=5)
def mail_notice(member_id: int, what: str, where: str) -> None:
    """Mail a member of staff that ``what`` happened to their account, from ``where``."""
    member = StaffMember.objects.filter(pk=member_id).first()
    if member is None:
        return
    text = render_to_string("account/email/notice.txt", {"member": member, "what": what, "where": where})
    send_mail("Your staff account was changed", text, None, [member.email])


@shared_task
def clear_sessions() -> None:
    """Delete the rows of sessions that are long over."""
    SessionStore.clear_expired()


@shared_task
def lift_due_statuses() -> None:
    """Every minute: let in again whose suspension or ban is over."""
    services.lift_due_statuses()


@shared_task
def count_customers() -> None:
    """Every few minutes: add up all customers for the cards above their list."""
    services.count_customers()


@shared_task
def verify_figures() -> None:
    """Every night: prove the figures beside customers and keep what was found."""
    services.verify_figures(source="beat")


@shared_task
def verify_figures_for(user_id: int, asked_at: str) -> None:
    """Prove the figures because a member of staff asked for it at ``asked_at`` (ISO 8601).

    Whoever asks again and again gets one answer: a run that began since is as good.
    """
    last = selectors.last_figures_proof()
    if last is None or last.started_at < datetime.fromisoformat(asked_at):
        services.verify_figures(source="staff", actor=User.objects.get(pk=user_id))
