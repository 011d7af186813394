"""Explain this balance: it adds up, leads on, tells of the past, and is as quick for many lots as for few."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditLot
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db
HOSTILE = "\"><script>alert(1)</script>{{7*7}}'"


@pytest.fixture
def customer():
    return CustomerFactory()


@pytest.fixture(autouse=True)
def reader(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.view_credittransaction"]))


def post(user, kind, amount, key, **more):
    posting = Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)
    return services.post(posting).transaction_id


def gift(user, amount, key, **more):
    return post(user, TransactionKind.GIFT, amount, key, **more)


def address(user):
    return reverse("admin:credits_explain", args=[user.pk])


def text_of(response):
    return re.sub(r"(<[^>]+>|\s)+", " ", response.content.decode())


def test_the_sum_adds_up_with_what_has_lapsed_and_what_is_held(client, customer):
    with clock.at(clock.now() - timedelta(days=3)):
        gift(customer, 30, 1, expires_at=clock.now() + timedelta(days=1))
        gift(customer, 50, 2)
    services.place_hold(user_id=customer.pk, amount=Decimal(20), idempotency_key="test:hold", reference=HOSTILE)
    # The hold settled the first lot; this one lapses unbooked.
    gift(customer, 7, 3, expires_at=clock.now() + timedelta(minutes=10))
    with clock.at(clock.now() + timedelta(minutes=20)):
        page = client.get(address(customer))
    total = page.context["sum"]
    assert total.account.lots_total - total.account.debt == total.account.balance == 57
    assert total.account.balance - total.lapsed - total.held + total.shortfall == total.available
    assert "<script>alert(1)" not in page.content.decode()


def test_debt_is_told_with_what_left_it_and_what_paid_it(client, customer):
    purchase = post(customer, TransactionKind.PURCHASE, 50, 1, paid_minor=500, currency="USD", reference="pi_1")
    post(customer, TransactionKind.USAGE, -50, 2)
    services.claw_back(
        transaction_id=purchase, amount=Decimal(20), kind=TransactionKind.CHARGEBACK, idempotency_key="test:claw"
    )
    assert "Balance in the ledger -20" in text_of(client.get(address(customer)))
    gift(customer, 5, 3)
    text = text_of(client.get(address(customer)))
    assert "Debt of 20 , 15 owed, left by chargeback" in text
    assert "5 paid from lot" in text
    assert "Available" in text


def test_a_lot_tells_its_source_its_worth_and_what_drew_on_it(client, customer):
    entry = post(customer, TransactionKind.PURCHASE, 50, 1, paid_minor=500, currency="USD", reference="pi_1")
    used = post(customer, TransactionKind.USAGE, -20, 2)
    text = text_of(client.get(address(customer)))
    assert f"Purchase {entry} pi_1" in text
    assert "$5.00 , what is left of it $3.00" in text
    assert f"Usage {used} 20" in text


def test_lots_take_a_fixed_number_of_queries_and_are_paged(client, customer, django_assert_num_queries):
    for number in range(60):
        gift(customer, 1, number)
    post(customer, TransactionKind.USAGE, -30, "use")
    client.get(address(customer))
    with django_assert_num_queries(14):
        page = client.get(address(customer))
    assert [len(page.context[name].lines) for name in ("open_lots", "closed_lots")] == [25, 25]
    following = page.context["open_lots"].next_after, page.context["closed_lots"].next_after
    rest = client.get(address(customer), {"open": following[0], "closed": following[1]})
    seen = {
        line.lot.pk
        for response in (page, rest)
        for name in ("open_lots", "closed_lots")
        for line in response.context[name].lines
    }
    assert seen == set(CreditLot.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "１"])
def test_a_garbled_page_is_the_first_one(client, customer, number):
    gift(customer, 1, 1)
    assert len(client.get(address(customer), {"open": number, "closed": number}).context["open_lots"].lines) == 1


def test_an_empty_account_says_so(client, customer):
    assert "No credits are left" in text_of(client.get(address(customer)))


def test_the_balance_of_the_past_is_that_of_the_last_entry_before(client, customer):
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    with clock.at(noon):
        first = gift(customer, 10, 1)
    with clock.at(noon + timedelta(hours=2)):
        gift(customer, 5, 2)
    page = client.get(address(customer), {"at": "2026-06-01T13:00"})
    ((_, balance, entry),) = page.context["answers"]
    assert (balance, entry.pk) == (10, first)
    assert "There was no entry yet" in text_of(client.get(address(customer), {"at": "2026-06-01T11:59:59"}))


def test_the_time_is_that_of_the_reader_and_a_repeated_hour_is_told_twice(client, customer):
    client.cookies["timezone"] = "Europe/Berlin"
    with clock.at(datetime(2025, 10, 26, 0, 45, tzinfo=UTC)):
        gift(customer, 10, 1)
    page = client.get(address(customer), {"at": "2025-10-26T02:30"})
    assert [balance for _, balance, _ in page.context["answers"]] == [0, 10]
    assert "twice" in text_of(page)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Choose a day"),
        ("x", "Give a day"),
        (HOSTILE, "Give a day"),
        ("2026-13-01T00:00", "Give a day"),
        ("0001-01-01T00:00", "since 1970"),
        ("9999-12-31T23:59:59", "since 1970"),
        ("2026-01-01T00:00+02:00", "without a time zone"),
        ("2999-01-01T00:00", "yet to come"),
        ("2025-03-30T02:30", "no such time"),
    ],
)
def test_a_time_that_cannot_be_answered_is_refused_in_words(client, customer, text, told):
    client.cookies["timezone"] = "Europe/Berlin"
    page = client.get(address(customer), {"at": text})
    assert told in str(page.context["form"].errors)
    assert "<script>alert(1)" not in page.content.decode()


def test_without_the_permission_the_page_is_forbidden(client, customer):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(address(customer)).status_code == 403


def test_nothing_is_posted_there_and_strangers_have_no_page(client, customer):
    assert client.post(address(customer)).status_code == 405
    assert client.get(reverse("admin:credits_explain", args=[10**12])).status_code == 404
