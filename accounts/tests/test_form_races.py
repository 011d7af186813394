"""What comes in while a form of the admin is being saved."""

import threading

import pytest
from django.db import connections
from django.urls import reverse

from accounts.admin import CustomerAdmin
from accounts.models import User
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_that_is_saved_does_not_undo_a_ban_that_came_in_between(client, monkeypatch):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory(country="DE")

    def ban():
        User.objects.filter(pk=customer.pk).update(status="banned", stripe_customer_id="cus_1")
        connections.close_all()

    banning = threading.Thread(target=ban)
    save = CustomerAdmin.save_model

    def save_late(self, *args, **kwargs):
        banning.start()
        # Long enough for a ban that nothing holds up to commit before the form writes.
        banning.join(timeout=1)
        save(self, *args, **kwargs)

    monkeypatch.setattr(CustomerAdmin, "save_model", save_late)
    address = reverse("admin:accounts_customer_change", args=[customer.pk])
    form = {"email": customer.email, "full_name": "New", "country": "DE", "signup_source": ""}
    assert client.post(address, form).status_code == 302
    banning.join()
    customer.refresh_from_db()
    assert (customer.full_name, customer.status, customer.stripe_customer_id) == ("New", "banned", "cus_1")
