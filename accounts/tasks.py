"""Work on people that runs by the clock, and what the login leaves to workers."""

from celery import shared_task
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import services
from accounts.login.session_store import SessionStore
from accounts.models import StaffMember


@shared_task(autoretry_for=(OSError,), retry_backoff=10, max_retries=5)
def mail_reset_link(member_id: int, origin: str) -> None:
    """Mail a member of staff the link to a new password; ``origin`` is where they asked, with a slash at its end.

    The link is made here, so that it is never in the broker.
    """
    member = StaffMember.objects.filter(pk=member_id).first()
    if member is None or not member.is_active:
        return
    key = {"uidb64": urlsafe_base64_encode(force_bytes(member.pk)), "token": default_token_generator.make_token(member)}
    url = f"{origin.rstrip('/')}{reverse('account_reset_password_from_key', kwargs=key)}"
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    text = render_to_string("account/email/password_reset.txt", {"member": member, "url": url, "hours": hours})
    send_mail("A new password for the back office", text, None, [member.email])


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
