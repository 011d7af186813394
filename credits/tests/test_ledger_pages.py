from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:credits_credittransaction_changelist")
EXPORT = reverse("admin:credits_credittransaction_export", args=["transactions"])


@pytest.fixture
def reader(client):
    member = StaffFactory(permissions=["credits.view_credittransaction", "credits.export_ledger"])
    client.force_login(member)
    return member


def move(user, amount, key, **more):
    kind = TransactionKind.GIFT if amount > 0 else TransactionKind.USAGE
    return services.post(
        Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)
    ).transaction_id


def entries(response):
    return [entry.pk for entry in response.context["cl"].result_list]


def test_the_newest_entries_come_first(client, reader):
    user = CustomerFactory()
    ids = [move(user, 10, 1), move(user, -4, 2)]
    assert entries(client.get(LIST)) == ids[::-1]


def test_the_list_takes_the_same_number_of_queries_for_few_and_many(client, reader, django_assert_num_queries):
    move(CustomerFactory(), 10, "a")
    client.get(LIST)
    with django_assert_num_queries(6):
        client.get(LIST)
    for user in CustomerFactory.create_batch(60):
        move(user, 10, user.pk)
    with django_assert_num_queries(6):
        client.get(LIST)


def test_search_by_email_reference_and_number(client, reader):
    ada, bob = CustomerFactory(email="Ada@example.com"), CustomerFactory()
    first, second = move(ada, 10, 1, reference="pi_123"), move(bob, 10, 2)
    assert entries(client.get(LIST, {"q": "ada@EXAMPLE.com"})) == [first]
    assert entries(client.get(LIST, {"q": "pi_123"})) == [first]
    assert entries(client.get(LIST, {"q": str(second)})) == [second]
    assert entries(client.get(LIST, {"q": "pi_"})) == []


def test_the_ledger_of_one_customer_is_a_filter(client, reader):
    ada, bob = CustomerFactory.create_batch(2)
    first, _ = move(ada, 10, 1), move(bob, 10, 2)
    assert entries(client.get(LIST, {"account__exact": ada.pk})) == [first]


def test_an_entry_shows_what_it_drew_on(client, reader):
    user = CustomerFactory()
    move(user, 10, 1)
    entry = move(user, -4, 2, metadata={"model": "<script>alert(1)</script>"})
    content = client.get(reverse("admin:credits_credittransaction_change", args=[entry])).content.decode()
    assert "</span> from <a href=" in content
    assert "<script>alert(1)" not in content


@pytest.mark.parametrize("verb", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_nobody_writes_to_the_ledger_by_hand(client, verb):
    client.force_login(StaffFactory(is_superuser=True))
    entry = move(CustomerFactory(), 10, 1)
    assert client.post(LIST + verb.format(pk=entry), {"amount": "1000"}).status_code == 403
    assert CreditTransaction.objects.get().amount == 10


def test_the_export_neutralises_formulas_and_keeps_numbers(client, reader):
    user = CustomerFactory(email="ada@example.com")
    move(user, 10, 1, description="=HYPERLINK(1)")
    move(user, -4, 2, description='quote " comma , line\nend')
    lines = b"".join(client.post(EXPORT).streaming_content).decode()
    first, second = CreditTransaction.objects.order_by("pk")
    now = f"{clock.now():%Y-%m-%d}"
    assert lines.splitlines()[0] == "ID,User Email,Type,Amount,Balance After,Description,Date"
    assert f"{first.pk},ada@example.com,gift,10,10,'=HYPERLINK(1),{now}T" in lines
    assert f'{second.pk},ada@example.com,usage,-4,6,"quote "" comma , line\nend",{now}T' in lines


def test_the_export_needs_its_permission(client):
    client.force_login(StaffFactory(permissions=["credits.view_credittransaction"]))
    assert client.post(EXPORT).status_code == 403


def test_an_act_of_staff_leads_to_its_line_in_the_audit_log(client):
    boss = StaffFactory(is_superuser=True)
    user = CustomerFactory()
    gifts = [
        services.gift_credits(
            user_id=user.pk, amount=Decimal(5), reason="sorry", actor=boss, idempotency_key=f"test:{number}"
        )
        for number in range(2)
    ]
    told = AuditEntry.objects.get(new_values__transaction=gifts[1].transaction_id)
    page = reverse("admin:credits_credittransaction_change", args=[gifts[1].transaction_id])
    link = f'href="{reverse("admin:audit_auditentry_change", args=[told.pk])}"'
    client.force_login(boss)
    assert link in client.get(page).content.decode()
    client.force_login(StaffFactory(permissions=["credits.view_credittransaction"]))
    assert link not in client.get(page).content.decode()
