"""Addresses of images are the reader's browser's business: whatever is in them, our server asks nobody."""

import socket

import pytest
from django.urls import reverse

from accounts.models import Customer
from jobs.tests.product import listening, says
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")


@pytest.fixture
def dialled(monkeypatch):
    """Whom this process connects to by network; sockets of files are those of our own servers."""
    seen = []
    connect = socket.socket.connect

    def watched(self, address):
        if self.family != socket.AF_UNIX:
            seen.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    return seen


def page_of(customer):
    return reverse("admin:accounts_customer_change", args=[customer.pk])


def shown(client, customer):
    pages = [client.get(address).content.decode() for address in (LIST, page_of(customer))]
    export = client.post(reverse("admin:accounts_customer_export", args=["users"]))
    assert b"".join(export.streaming_content)
    return "".join(pages)


def save(client, customer, avatar):
    form = {"email": customer.email, "full_name": "", "country": "", "signup_source": "", "avatar": avatar}
    return client.post(page_of(customer), form)


@pytest.mark.parametrize("is_covered", [True, False])
def test_no_image_is_fetched_by_the_server(client, settings, dialled, is_covered):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory()
    inward = says(302, Location="http://169.254.169.254/latest/meta-data/")
    with listening(inward) as host:
        avatar = host.url.replace("http:", "https:")
        settings.MEDIA_HOSTS = [avatar] if is_covered else []
        assert save(client, customer, avatar).status_code == 302
        assert (f'src="{avatar}"' in shown(client, customer)) == is_covered
        assert (host.got, dialled) == ([], [])


@pytest.mark.parametrize(
    "avatar",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:6379/",
        "http://[::1]/",
        "https://evil.example/a.svg",
    ],
)
def test_an_image_from_anywhere_else_is_neither_fetched_nor_shown(client, dialled, avatar):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory(avatar=avatar)
    assert f'src="{avatar}' not in shown(client, customer)
    assert dialled == []


@pytest.mark.parametrize("avatar", ["javascript:alert(1)", "data:image/svg+xml,<svg onload=alert(1)>"])
def test_an_address_that_is_a_script_is_refused_by_the_form_and_inert_if_it_is_there(client, dialled, avatar):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory()
    assert save(client, customer, avatar).status_code == 200
    customer.refresh_from_db()
    assert customer.avatar == ""
    Customer.objects.filter(pk=customer.pk).update(avatar=avatar)
    html = shown(client, customer)
    assert f'src="{avatar}' not in html
    assert "<svg onload" not in html
    assert f'href="{avatar}' not in html
    assert dialled == []
