"""``users/{external_id}``: customers as the product tells of them."""

import json
from datetime import UTC, datetime

import pytest

from accounts.models import ActivityEvent, Customer, User
from accounts.services import record_activity
from backoffice.lib import registry
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

ADA = {
    "email": "ada@Example.com",
    "full_name": "Ada Lovelace",
    "plan": "pro",
    "country": "GB",
    "signup_source": "ads",
    "character_count": 3,
    "demo_mode": False,
    "created_at": "2024-02-29T10:00:00+02:00",
}


@pytest.fixture
def product():
    return Program(key())


def test_a_customer_is_made_and_shown(product):
    response = product.put("users/u_ada", ADA)
    assert response.status_code == 201, response.content
    ada = Customer.objects.get(external_id="u_ada")
    assert response.json() == {
        "external_id": "u_ada",
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "status": "active",
        "plan": "pro",
        "country": "GB",
        "signup_source": "ads",
        "character_count": 3,
        "demo_mode": False,
        "referral_code": ada.referral_code,
        "created_at": "2024-02-29T08:00:00Z",
        "last_active_at": "2024-02-29T08:00:00Z",
    }
    assert product.get("users/u_ada").json() == response.json()
    assert not ada.has_usable_password()
    assert ada.date_joined == datetime(2024, 2, 29, 8, tzinfo=UTC)


def test_telling_again_changes_nothing_and_is_no_second_signup(product):
    first = product.put("users/u_ada", ADA | {"referred_by": "7KQ2MXRD"})
    again = product.put("users/u_ada", ADA)
    assert (again.status_code, again.json()) == (200, first.json())
    signup = ActivityEvent.objects.get()
    assert (signup.action, signup.details) == ("signup", {"referred_by": "7KQ2MXRD", "signup_source": "ads"})
    assert signup.at == datetime(2024, 2, 29, 8, tzinfo=UTC)


def test_what_is_absent_stays_and_null_clears(product):
    product.put("users/u_ada", ADA)
    assert product.put("users/u_ada", {}).json()["plan"] == "pro"
    cleared = dict.fromkeys(["full_name", "plan", "country", "signup_source", "character_count", "demo_mode"])
    body = product.put("users/u_ada", cleared | {"created_at": None}).json()
    assert [body[name] for name in cleared] == ["", "", "", "", 0, False]
    assert body["email"] == "ada@example.com"
    assert body["created_at"] == "2024-02-29T08:00:00Z"


def test_an_email_changes_and_is_never_cleared(product):
    product.put("users/u_ada", ADA)
    assert product.put("users/u_ada", {"email": "new@example.com"}).json()["email"] == "new@example.com"
    refused = product.put("users/u_ada", {"email": None})
    assert (refused.status_code, code_of(refused)) == (422, "email_missing")


def test_a_new_customer_needs_an_email(product):
    response = product.put("users/u_ada", {"full_name": "Ada"})
    assert (response.status_code, code_of(response)) == (422, "email_missing")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("holder", [CustomerFactory, StaffFactory])
@pytest.mark.parametrize("exists", [False, True])
def test_an_email_of_somebody_else_is_taken_in_any_case(product, holder, exists):
    holder(email="ada@example.com", full_name="")
    if exists:
        CustomerFactory(external_id="u_second", email="u2@example.com")
    response = product.put("users/u_second", {"email": "ADA@example.com", "full_name": "x"})
    assert (response.status_code, code_of(response)) == (409, "email_taken")
    assert not User.objects.filter(full_name="x").exists()


def test_members_of_staff_are_out_of_reach(product):
    member = StaffFactory(external_id="u_staff", full_name="Grace")
    for response in (product.get("users/u_staff"), product.put("users/u_staff", {"full_name": "Mallory"})):
        assert (response.status_code, code_of(response)) == (404, "unknown_user")
    member.refresh_from_db()
    assert member.full_name == "Grace"


def test_a_customer_is_found_by_the_products_id_alone(product):
    customer = CustomerFactory(external_id=None)
    assert product.get(f"users/{customer.pk}").status_code == 404
    assert code_of(product.get("users/nobody")) == "unknown_user"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "not an address", "invalid_email"),
        ("email", "a" * 250 + "@example.com", "invalid_email"),
        ("country", "de", "invalid_country"),
        ("country", "XX", "invalid_country"),
        ("character_count", -1, "validation_error"),
        ("character_count", 2**31, "validation_error"),
        ("character_count", "3", "validation_error"),
        ("demo_mode", "yes", "validation_error"),
        ("full_name", "x" * 201, "validation_error"),
        ("plan", ["pro"], "validation_error"),
        ("created_at", "2024-02-29", "invalid_time"),
        ("created_at", "2024-02-29T10:00:00", "invalid_time"),
        ("created_at", 1709200800, "invalid_time"),
        ("created_at", "9999-12-31T23:59:59-14:00", "invalid_time"),
        ("created_at", "0001-01-01T00:00:00+14:00", "invalid_time"),
        ("created_at", "2999-01-01T00:00:00Z", "invalid_time"),
        ("balance", "1000", "validation_error"),
        ("is_staff", True, "validation_error"),
        ("status", "active", "validation_error"),
        ("external_id", "u_other", "validation_error"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(product, field, value, code):
    response = product.put("users/u_ada", ADA | {field: value})
    assert (response.status_code, code_of(response)) == (422, code)
    assert [detail["path"] for detail in response.json()["error"]["details"]] == [field]
    assert not Customer.objects.exists()


def test_an_id_is_bounded(product):
    assert product.put(f"users/{'x' * 129}", ADA).status_code == 422
    assert product.put(f"users/{'x' * 128}", ADA).status_code == 201


def test_visits_before_the_signup_become_the_customers(product):
    record_activity(event_id="v1", action="visit", user_id=None, visitor_id="vis")
    record_activity(event_id="v2", action="visit", user_id=None, visitor_id="other")
    product.put("users/u_ada", ADA | {"visitor_id": "vis"})
    ada = Customer.objects.get()
    linked = ActivityEvent.objects.filter(user=ada).values_list("action", "visitor_id")
    assert sorted(linked) == [("signup", "vis"), ("visit", "vis")]


def test_a_plan_that_billing_manages_is_left_alone(product, monkeypatch):
    product.put("users/u_ada", ADA)
    guards = registry.Registry("plan guards")
    ada = {Customer.objects.get().pk}
    guards.register(registry.PlanGuard(key="test", managed_among=ada.intersection))
    monkeypatch.setattr("accounts.services.customers.plan_guards", guards)
    response = product.put("users/u_ada", {"plan": "free", "full_name": "A"})
    assert (response.json()["plan"], response.json()["full_name"]) == ("pro", "A")


def test_who_is_counted_does_not_become_a_demo_customer(product, monkeypatch):
    product.put("users/u_ada", ADA)
    guards = registry.Registry("demo guards")
    ada = {Customer.objects.get().pk}
    guards.register(registry.DemoGuard(key="test", counted_among=ada.intersection))
    monkeypatch.setattr("accounts.services.customers.demo_guards", guards)
    response = product.put("users/u_ada", {"demo_mode": True, "full_name": "A"})
    assert (response.status_code, code_of(response)) == (409, "already_counted")
    assert (Customer.objects.get().demo_mode, Customer.objects.get().full_name) == (False, "Ada Lovelace")


def test_each_call_takes_a_fixed_number_of_queries(product, django_assert_num_queries):
    product.get("users/warm-up")
    # The key; the look-up; savepoints around and within; the insert; the signup and its moment; what it became.
    with django_assert_num_queries(13):
        product.put("users/u_ada", ADA)
    # The key; the look-up between savepoints; the change between savepoints.
    with django_assert_num_queries(7):
        product.put("users/u_ada", {"full_name": "A"})
    with django_assert_num_queries(2):
        product.get("users/u_ada")


@pytest.mark.django_db(transaction=True)
def test_one_of_many_who_want_an_email_at_once_gets_it():
    secret = key()
    body = {"email": "ada@example.com"}
    answers = at_once([lambda n=n: Program(secret).put(f"users/u_{n}", body) for n in range(8)])
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"email_taken"}
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_customer_told_by_many_at_once_is_made_once():
    secret = key()
    answers = at_once([lambda: Program(secret).put("users/u_ada", ADA) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert Customer.objects.count() == 1
    assert ActivityEvent.objects.filter(action="signup").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_known_customers_who_change_to_one_email_at_once_do_not_share_it():
    secret = key()
    people = CustomerFactory.create_batch(6)
    answers = at_once(
        [lambda p=p: Program(secret).put(f"users/{p.external_id}", {"email": "x@example.com"}) for p in people]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert json.dumps([answer.json() for answer in answers]).count('"email_taken"') == 5
