from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts import selectors, services
from accounts.models import ActivityEvent, Customer, CustomerFigures, RetiredCustomer, StaffNote, User
from audit import services as audit
from backoffice.lib import clock
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refused(**fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerFactory(**fields)


def test_an_address_is_unique_in_any_case():
    CustomerFactory(email="Ada@example.com")
    refused(email="ADA@EXAMPLE.COM")


@pytest.mark.parametrize(
    "fields",
    [{"status": "gone"}, {"country": "de"}, {"country": "D1"}, {"external_id": ""}, {"status_until": MOMENT}],
)
def test_the_database_refuses_what_must_not_be(fields):
    refused(**fields)


def test_the_database_refuses_a_note_without_words_and_a_merge_into_oneself():
    customer, staff = CustomerFactory(), StaffFactory()
    with pytest.raises(IntegrityError, match="note_says_something"), transaction.atomic():
        StaffNote.objects.create(user=customer, author=staff, text="")
    with pytest.raises(IntegrityError, match="retired_not_into_themselves"), transaction.atomic():
        RetiredCustomer.objects.create(user=customer, fate="merged", into=customer)


def test_login_finds_an_address_in_any_case():
    user = CustomerFactory(email="Ada@Example.com")
    assert User.objects.get_by_natural_key("aDA@example.COM") == user


def test_customers_get_no_usable_password_by_themselves():
    assert not User.objects.create_user("a@example.com").has_usable_password()


def test_referral_codes_differ_and_can_be_read_aloud():
    codes = {User.objects.create_user(f"{n}@example.com").referral_code for n in range(50)}
    assert len(codes) == 50
    assert not set("".join(codes)) & set("01OIL")


def test_every_person_has_figures_from_the_first_moment():
    user = CustomerFactory(plan="pro", country="DE", signup_source="google")
    figures = CustomerFigures.objects.get(user=user)
    assert (figures.plan, figures.country, figures.source, figures.status) == ("pro", "DE", "google", "active")
    assert figures.joined == figures.last_active_at == user.date_joined


@pytest.mark.parametrize(
    ("column", "copy", "value"),
    [
        ("plan", "plan", "studio"),
        ("status", "status", "banned"),
        ("country", "country", "FR"),
        ("signup_source", "source", "google"),
        ("last_active_at", "last_active_at", MOMENT),
        ("date_joined", "joined", MOMENT),
    ],
)
def test_figures_follow_the_person_whoever_changes_it(column, copy, value):
    user = CustomerFactory()
    User.objects.filter(pk=user.pk).update(**{column: value})
    assert getattr(CustomerFigures.objects.get(user=user), copy) == value


def test_an_act_is_kept_once_under_its_id():
    user = CustomerFactory()
    for _ in range(2):
        services.record_activity(event_id="e1", action="login", user_id=user.pk)
    assert ActivityEvent.objects.count() == 1


def test_last_active_moves_at_most_every_five_minutes():
    user = CustomerFactory()
    start = clock.now() - timedelta(hours=1)
    for minutes, seen in [(0, 0), (4, 0), (6, 6), (3, 6)]:
        at = start + timedelta(minutes=minutes)
        services.record_activity(event_id=f"e{minutes}", action="login", user_id=user.pk, at=at)
        user.refresh_from_db()
        assert user.last_active_at == start + timedelta(minutes=seen)


def test_an_act_that_claims_to_be_in_the_future_makes_nobody_active_then():
    user = CustomerFactory()
    with clock.at(MOMENT):
        services.record_activity(event_id="e", action="login", user_id=user.pk, at=MOMENT + timedelta(days=3650))
    user.refresh_from_db()
    assert user.last_active_at == MOMENT


def test_the_product_s_id_comes_before_ours():
    first = CustomerFactory(external_id=None)
    second = CustomerFactory(external_id=str(first.pk))
    assert selectors.customer_by_reference(str(first.pk)) == second


def test_our_own_id_serves_only_for_customers_without_an_external_one():
    without, with_one = CustomerFactory(external_id=None), CustomerFactory(external_id="u_1")
    assert selectors.customer_by_reference(str(without.pk)) == without
    assert selectors.customer_by_reference(str(with_one.pk)) is None


@pytest.mark.parametrize("reference", ["", "x", "-1", "9" * 19, "9" * 30, "１"])
def test_references_that_name_nobody_find_nobody(reference):
    CustomerFactory(external_id=None)
    assert selectors.customer_by_reference(reference) is None


def test_staff_are_never_found_as_customers():
    staff = StaffFactory(external_id="u_9", stripe_customer_id="cus_9")
    assert selectors.customer_by_reference("u_9") is None
    assert selectors.customer_by_stripe_id("cus_9") is None
    assert selectors.customer_by_email(staff.email) is None


def test_a_stripe_customer_is_linked_once_and_never_taken_from_another():
    ada, bob = CustomerFactory.create_batch(2)
    services.link_stripe_customer(user_id=ada.pk, stripe_customer_id="cus_1")
    services.link_stripe_customer(user_id=bob.pk, stripe_customer_id="cus_1")
    services.link_stripe_customer(user_id=ada.pk, stripe_customer_id="cus_2")
    assert list(Customer.objects.order_by("pk").values_list("stripe_customer_id", flat=True)) == ["cus_1", None]


def test_who_acted_cannot_be_deleted():
    staff = StaffFactory()
    audit.record(action="tests.act", actor=staff, resource=audit.Resource("t", "1", "t 1"))
    with pytest.raises(ProtectedError):
        staff.delete()


def test_createsuperuser_makes_staff(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    call_command("createsuperuser", interactive=False, verbosity=0)
    user = User.objects.get(email="root@example.com")
    assert user.is_staff and user.is_superuser and user.check_password("correct horse battery")
