"""Customers are asked for a new password: by the product, or by a mail of ours when they log in here."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts import services, tasks
from accounts.errors import ReasonRefused, UnknownCustomer, WrongStatus
from accounts.models import PasswordResetRequest
from audit.models import AuditEntry
from backoffice.lib.hooks import hooks
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

TOKEN = "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"
ORIGIN = "http://testserver/"


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=["accounts.view_customer", "accounts.reset_password"])
    client.force_login(member)
    return member


def ask(user, actor, key="test:1", reason="Locked out"):
    return services.request_password_reset(user_id=user.pk, reason=reason, actor=actor, key=key, origin=ORIGIN)


def with_password(**more):
    customer = CustomerFactory(**more)
    customer.set_password("an old password of theirs")
    customer.save()
    return customer


def test_the_product_is_told_of_a_customer_who_logs_in_there(staff, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    handlers = {"password_reset_requested": {"test": lambda request_id: told.append(request_id)}}
    monkeypatch.setattr(hooks, "_handlers", handlers)
    customer = CustomerFactory()
    with django_capture_on_commit_callbacks(execute=True):
        request = ask(customer, staff).request
    assert (told, request.way, request.actor) == ([request.pk], "product", staff)
    assert mail.outbox == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.resource_id) == (
        "accounts.reset_customer_password",
        staff,
        str(customer.pk),
    )
    assert (entry.new_values, entry.reason) == ({"way": "product", "request": request.pk}, "Locked out")


def test_the_key_of_one_customer_asks_nothing_for_another(staff):
    ask(CustomerFactory(), staff)
    with pytest.raises(WrongStatus):
        ask(CustomerFactory(), staff)
    assert PasswordResetRequest.objects.count() == 1


def test_the_same_key_asks_once(staff):
    customer = CustomerFactory()
    ask(customer, staff)
    assert ask(customer, staff).replayed
    assert (PasswordResetRequest.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_who_cannot_be_asked_is_refused(staff):
    for customer in (CustomerFactory(status="banned"), CustomerFactory(external_id=None)):
        with pytest.raises(WrongStatus):
            ask(customer, staff)
    with pytest.raises(UnknownCustomer):
        ask(StaffFactory(), staff)
    with pytest.raises(ReasonRefused):
        ask(CustomerFactory(), staff, reason=" ")
    assert not PasswordResetRequest.objects.exists()


def test_a_customer_with_a_password_here_is_mailed_a_link_that_works_once(client, staff):
    customer = with_password(external_id=None, email="ada@example.com")
    request = ask(customer, staff).request
    tasks.mail_customer_reset_link(request.pk, ORIGIN)
    [message] = mail.outbox
    assert message.to == ["ada@example.com"]
    assert "staff" not in message.body
    link = re.search(r"http://testserver(\S+)", message.body)[1]
    client.logout()
    form = client.get(link, follow=True)
    chosen = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    answer = client.post(form.redirect_chain[-1][0], chosen)
    assert "Your password was changed" in answer.content.decode()
    customer.refresh_from_db()
    assert customer.check_password("correct horse battery")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor_label) == ("accounts.reset_password", "system")
    assert "new_password1" not in client.get(link, follow=True).content.decode()


def test_a_customer_of_the_product_has_no_link_here(client):
    from django.contrib.auth.tokens import default_token_generator  # noqa: PLC0415
    from django.utils.encoding import force_bytes  # noqa: PLC0415
    from django.utils.http import urlsafe_base64_encode  # noqa: PLC0415

    customer = CustomerFactory()
    key = {
        "uidb64": urlsafe_base64_encode(force_bytes(customer.pk)),
        "token": default_token_generator.make_token(customer),
    }
    page = client.get(reverse("account_reset_password_from_key", kwargs=key), follow=True)
    assert "new_password1" not in page.content.decode()


def test_no_mail_goes_to_who_was_shut_out_in_between(staff):
    customer = with_password()
    request = ask(customer, staff).request
    services.ban_customer(user_id=customer.pk, reason="x", actor=staff)
    tasks.mail_customer_reset_link(request.pk, ORIGIN)
    tasks.mail_customer_reset_link(10**9, ORIGIN)
    assert mail.outbox == []


def test_the_form_says_what_would_happen_and_asks_once(client, staff, settings):
    customer = CustomerFactory()
    page = reverse("admin:accounts_customer_reset_password", args=[customer.pk])
    given = {"reason": "Locked out", "token": TOKEN}
    assert "The product is told" in client.post(page, given).content.decode()
    assert not PasswordResetRequest.objects.exists()
    client.post(page, given | {"confirm": "yes"})
    assert "nothing was done again" in client.post(page, given | {"confirm": "yes"}, follow=True).content.decode()
    assert PasswordResetRequest.objects.count() == 1
    settings.EMAIL_URL = ""
    mailed = reverse("admin:accounts_customer_reset_password", args=[with_password().pk])
    assert "EMAIL_URL is not set" in client.post(mailed, given).content.decode()
    shut_out = reverse("admin:accounts_customer_reset_password", args=[CustomerFactory(status="banned").pk])
    assert "shut out" in client.post(shut_out, given).content.decode()


def test_the_form_needs_its_permission(client):
    client.force_login(StaffFactory(permissions=["accounts.change_customer"]))
    page = reverse("admin:accounts_customer_reset_password", args=[CustomerFactory().pk])
    assert client.get(page).status_code == 403
