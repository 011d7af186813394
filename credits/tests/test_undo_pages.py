"""Adjusting, refunding and reversing through their forms: shown first, done once, audited, refused in words."""

import re
import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db
SEE = ["accounts.view_customer", "credits.view_credittransaction"]
HOSTILE = "\"><script>alert(1)</script>{{7*7}}'"


def post(user, kind, amount, key, **more):
    posting = Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)
    return services.post(posting).transaction_id


@pytest.fixture
def customer():
    return CustomerFactory()


@pytest.fixture
def gift(customer):
    return post(customer, TransactionKind.GIFT, 100, "gift")


@pytest.fixture
def usage(customer, gift):
    return post(customer, TransactionKind.USAGE, -40, "usage")


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=[*SEE, "credits.adjust_credits", "credits.refund_usage"])
    client.force_login(member)
    return member


def filled(**more):
    given = {"amount": "", "reason": "It failed", "last_day": "", "token": str(uuid.uuid4())}
    return {**given, **more}


def shown(response):
    changes = response.context["changes"]
    return {change.label: (plain(change.before), plain(change.after)) for change in changes}


def plain(side):
    return side if side is None else re.sub("<.*?>", "", str(side))


def adjust_url(customer):
    return reverse("admin:credits_adjust", args=[customer.pk])


def refund_url(entry):
    return reverse("admin:credits_refund", args=[entry])


def reverse_url(entry):
    return reverse("admin:credits_reverse", args=[entry])


def balance(customer):
    return selectors.balance_of(customer.pk).balance


def test_an_adjustment_shows_the_balance_before_and_after(client, staff, customer, usage):
    response = client.post(adjust_url(customer), filled(amount="-10"))
    assert shown(response) == {"Balance": ("60", "50"), "Available": ("60", "50")}
    assert balance(customer) == 60


@pytest.mark.parametrize(("amount", "after"), [("-10", 50), ("0.25", Decimal("60.25"))])
def test_a_confirmed_adjustment_is_booked_once_and_audited(client, staff, customer, usage, amount, after):
    form = filled(amount=amount, confirm="yes")
    client.post(adjust_url(customer), form)
    client.post(adjust_url(customer), form)
    assert balance(customer) == after
    assert [entry.action for entry in AuditEntry.objects.all()] == ["credits.adjust"]


@pytest.mark.parametrize("amount", ["", "0", "-0", "--1", "-", "+-1", "NaN", "1e5", "１", "0.00001", "-0.00001"])
def test_a_bad_amount_of_an_adjustment_is_told(client, staff, customer, usage, amount):
    response = client.post(adjust_url(customer), filled(amount=amount, confirm="yes"))
    assert response.context["form"].errors["amount"]
    assert balance(customer) == 60


@pytest.mark.parametrize("confirm", ["", "yes"])
def test_more_than_is_available_cannot_be_taken(client, staff, customer, usage, confirm):
    response = client.post(adjust_url(customer), filled(amount="-61", confirm=confirm))
    assert "61 credits are needed and 60" in str(response.context["form"].errors)
    assert balance(customer) == 60


def test_a_refund_shows_what_it_gives_back_and_where(client, staff, customer, gift, usage):
    services.refund_usage(transaction_id=usage, amount=Decimal(10), reason="part", idempotency_key="test:part")
    response = client.post(refund_url(usage), filled())
    lot = CreditTransaction.objects.get(pk=gift).lots.get()
    assert shown(response) == {
        "Credits": (None, "+30"),
        "Refunded": ("10", "40 of 40"),
        "Balance": ("70", "100"),
        "Available": ("70", "100"),
        "Lots": (None, f"+30 lot {lot.pk} "),
    }
    assert balance(customer) == 70


def test_a_confirmed_refund_is_booked_once_and_audited(client, staff, customer, usage):
    form = filled(amount="15", confirm="yes")
    response = client.post(refund_url(usage), form)
    client.post(refund_url(usage), form)
    assert response["Location"] == reverse("admin:credits_credittransaction_change", args=[usage])
    assert balance(customer) == 75
    assert [entry.action for entry in AuditEntry.objects.all()] == ["credits.refund"]


def test_a_reversal_takes_back_what_is_left_of_a_gift(client, staff, customer, gift, usage):
    response = client.post(reverse_url(gift), filled())
    assert shown(response)["Credits"] == (None, "-60")
    form = filled(confirm="yes")
    client.post(reverse_url(gift), form)
    client.post(reverse_url(gift), form)
    assert balance(customer) == 0
    assert [entry.action for entry in AuditEntry.objects.all()] == ["credits.reverse"]


@pytest.mark.parametrize("confirm", ["", "yes"])
def test_what_cannot_be_undone_is_refused_in_words(client, staff, customer, gift, usage, confirm):
    too_much = client.post(refund_url(usage), filled(amount="41", confirm=confirm))
    assert "40" in str(too_much.context["form"].errors)
    assert "Only a usage" in str(client.post(refund_url(gift), filled(confirm=confirm)).context["form"].errors)
    assert "cannot be reversed" in str(client.post(reverse_url(usage), filled(confirm=confirm)).context["form"].errors)
    assert balance(customer) == 60


def test_a_refund_tells_which_debt_it_pays(client, staff, customer):
    purchase = post(customer, TransactionKind.PURCHASE, 50, "buy", paid_minor=500, currency="USD")
    usage = post(customer, TransactionKind.USAGE, -50, "use")
    services.claw_back(
        transaction_id=purchase, amount=Decimal(20), kind=TransactionKind.REVERSAL, idempotency_key="test:claw"
    )
    changes = shown(client.post(refund_url(usage), filled()))
    assert (changes["Pays debt"], changes["Balance"]) == ((None, "20"), ("-20", "30"))


@pytest.mark.parametrize("url", [adjust_url, refund_url, reverse_url])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_only_read_gets_no_form(client, customer, usage, url, method):
    client.force_login(StaffFactory(permissions=[*SEE, "credits.gift_credits"]))
    address = url(customer) if url is adjust_url else url(usage)
    assert getattr(client, method)(address, filled(confirm="yes", amount="1")).status_code == 403
    assert balance(customer) == 60


@pytest.mark.parametrize("url", [refund_url, reverse_url])
def test_an_entry_that_does_not_exist_is_not_found(client, staff, url):
    assert client.post(url(10**12), filled(confirm="yes")).status_code == 404


def test_a_hostile_reason_stays_text(client, staff, customer, usage):
    for confirm in ("", "yes"):
        response = client.post(refund_url(usage), filled(reason=HOSTILE, confirm=confirm), follow=True)
        assert "<script>alert(1)" not in response.content.decode()


def test_buttons_stand_where_they_apply_and_the_person_may(client, customer, gift, usage):
    reader = StaffFactory(permissions=SEE)
    both = StaffFactory(permissions=[*SEE, "credits.adjust_credits", "credits.refund_usage"])
    for person, expected in ((reader, False), (both, True)):
        client.force_login(person)
        pages = [
            client.get(reverse("admin:credits_credittransaction_change", args=[usage])).content.decode(),
            client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode(),
        ]
        assert [refund_url(usage) in page for page in pages] == [expected, expected]
        assert (reverse_url(gift) in pages[1]) is expected
    services.refund_usage(transaction_id=usage, amount=None, reason="all", idempotency_key="test:all")
    assert (
        refund_url(usage)
        not in client.get(reverse("admin:credits_credittransaction_change", args=[usage])).content.decode()
    )
