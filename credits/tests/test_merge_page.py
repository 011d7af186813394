"""The form by which staff merge two rows of one customer."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import RetiredCustomer
from credits import services
from credits.tests.merges import TOKEN, balance, post
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    return CustomerFactory(external_id="stays", full_name=""), CustomerFactory(external_id="goes", full_name="Ada")


@pytest.fixture
def staff(client):
    member = StaffFactory(
        permissions=["accounts.view_customer", "accounts.merge_customers", "accounts.view_activityevent"]
    )
    client.force_login(member)
    return member


def form(survivor, merged, **values):
    return {"into": survivor.email, "retyped": merged.email, "reason": "Twice", "token": TOKEN} | values


def test_the_form_shows_the_effect_asks_for_the_email_again_and_merges(client, staff, pair):
    survivor, merged = pair
    post(merged, 10, "given")
    page = reverse("admin:accounts_customer_merge", args=[merged.pk])
    shown = client.post(page, form(survivor, merged)).content.decode()
    assert f"Balance of customer {survivor.pk}" in shown and "leads to customer" in shown
    assert balance(merged) == 10
    done = client.post(page, form(survivor, merged, confirm="yes"), follow=True)
    assert done.redirect_chain[-1][0] == reverse("admin:accounts_customer_change", args=[survivor.pk])
    assert f"customer {merged.pk}</a>" in done.content.decode()
    again = client.post(page, form(survivor, merged, confirm="yes"), follow=True)
    assert "nothing was done again" in again.content.decode()
    stone = client.get(reverse("admin:accounts_customer_change", args=[merged.pk]))
    assert "Merged into" in stone.content.decode()
    assert stone.context["action_groups"] == []
    assert not stone.context["has_change_permission"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"retyped": "other@example.com"}, "not the email"),
        ({"retyped": ""}, "required"),
        ({"into": "nobody@example.com"}, "no such customer"),
        ({"into": "99999999999999999999"}, "no such customer"),
        ({"into": "a\x00b"}, "Null characters"),
        ({"reason": ""}, "required"),
    ],
)
def test_bad_values_get_a_clear_error_and_merge_nothing(client, staff, pair, values, words):
    survivor, merged = pair
    page = reverse("admin:accounts_customer_merge", args=[merged.pk])
    answer = client.post(page, form(survivor, merged, confirm="yes", **values))
    assert words in answer.content.decode()
    assert not RetiredCustomer.objects.exists()


def test_what_stands_in_the_way_is_shown_in_the_form(client, staff, pair):
    survivor, merged = pair
    post(merged, 20, "given")
    services.place_hold(user_id=merged.pk, amount=Decimal(5), idempotency_key="test:hold")
    page = reverse("admin:accounts_customer_merge", args=[merged.pk])
    for confirm in ({}, {"confirm": "yes"}):
        assert "credits are held" in client.post(page, form(survivor, merged, **confirm)).content.decode()


def test_the_form_needs_its_permission(client, pair):
    client.force_login(StaffFactory(permissions=["accounts.change_customer"]))
    assert client.get(reverse("admin:accounts_customer_merge", args=[pair[1].pk])).status_code == 403
