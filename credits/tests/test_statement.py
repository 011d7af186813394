"""The statement of a customer: a period between two balances that reconcile."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from credits import selectors, services
from credits.admin import statement
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def post(user, amount, key, **more):
    kind = TransactionKind.GIFT if amount > 0 else TransactionKind.USAGE
    return services.post(
        Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)
    )


@pytest.fixture
def customer():
    customer = CustomerFactory()
    for day, amount in [(0, 100), (1, -30), (1, 5), (3, -25)]:
        with clock.at(FIRST + day * DAY + timedelta(hours=12)):
            post(customer, amount, f"{day}{amount}", description="=1+1" if amount == 5 else "")
    return customer


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=["accounts.view_customer", "credits.export_statement"])
    client.force_login(member)
    return member


def address(user):
    return reverse("admin:credits_statement", args=[user.pk])


def rows(response):
    return list(csv.reader(b"".join(response.streaming_content).decode().splitlines()))


def test_the_period_stands_between_the_balances_around_it(client, staff, customer):
    response = client.post(address(customer), {"first": "2026-03-02", "last": "2026-03-03"})
    assert response["Content-Disposition"] == (
        f'attachment; filename="statement_{customer.pk}_2026-03-02_2026-03-03.csv"'
    )
    assert rows(response) == [
        ["Number", "Date", "Type", "Description", "Reference", "Amount", "Balance"],
        ["", "2026-03-02T00:00:00Z", "Opening balance", "", "", "", "100"],
        ["2", "2026-03-02T12:00:00Z", "usage", "", "", "-30", "70"],
        ["3", "2026-03-02T12:00:00Z", "gift", "'=1+1", "", "5", "75"],
        ["", "2026-03-04T00:00:00Z", "Closing balance", "", "", "", "75"],
    ]
    entry = AuditEntry.objects.get(action="credits.export_statement")
    assert (entry.actor, entry.resource_id) == (staff, str(customer.pk))
    assert entry.new_values == {"from": "2026-03-02T00:00:00Z", "until": "2026-03-04T00:00:00Z"}


@pytest.mark.parametrize(("start", "end"), [(-9, -5), (-1, 9), (0, 0), (0, 1), (1, 2), (2, 3), (3, 4), (1, 9), (5, 9)])
def test_opening_and_what_moved_make_the_closing_balance(customer, start, end):
    made = selectors.statement_of(user_id=customer.pk, start=FIRST + start * DAY, end=FIRST + end * DAY)
    assert made.opening + sum(entry.amount for entry in made.entries) == made.closing
    assert made.opening == selectors.balance_as_of(user_id=customer.pk, at=FIRST + start * DAY)
    assert made.closing == selectors.balance_as_of(user_id=customer.pk, at=FIRST + end * DAY)


def test_what_is_booked_while_the_file_is_written_stays_out_of_it(customer):
    made = selectors.statement_of(user_id=customer.pk, start=FIRST, end=clock.now() + DAY)
    file = statement.lines(made, FIRST, clock.now() + DAY)
    head = [next(file), next(file)]
    post(customer, 1000, "late")
    text = b"".join([*head, *file]).decode()
    assert text.splitlines()[-1].endswith("Closing balance,,,,50")
    assert ",1000," not in text


def test_a_customer_without_a_ledger_has_a_statement_of_zeros(client, staff):
    response = client.post(address(CustomerFactory()), {"first": "2026-03-02", "last": "2026-03-03"})
    assert [row[-1] for row in rows(response)] == ["Balance", "0", "0"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("", "2026-03-03", "required"),
        ("2026-03-04", "2026-03-03", "before the first"),
        ("soon", "2026-03-03", "valid date"),
        ("1026-03-04", "2026-03-03", "in that year"),
        ("2026-03-04", "9999-12-31", "in that year"),
        ("2026-03-04", "2099-12-31", "until today"),
        ("2026-03-04\x00", "2026-03-05", "valid date"),
    ],
)
def test_days_that_cannot_be_are_refused_in_words(client, staff, customer, first, last, words):
    response = client.post(address(customer), {"first": first, "last": last})
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not AuditEntry.objects.filter(action="credits.export_statement").exists()


def test_the_statement_needs_its_own_permission_and_a_customer(client, staff, customer):
    assert client.get(address(customer)).status_code == 200
    assert client.get(address(StaffFactory())).status_code == 404
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.view_credittransaction"]))
    for method in (client.get, client.post):
        assert method(address(customer)).status_code == 403
