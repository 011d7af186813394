"""Lots, holds, debts and proofs: lists that are read, found by search and filter, and written by nobody."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.admin import proofs
from backoffice.lib.admin.proofs import PROOF_LASTS
from credits import services, tasks
from credits.kinds import TransactionKind
from credits.models import CreditDebt, CreditHold, CreditLot, CreditTransaction, IntegrityRun
from credits.offers import _integrity_badge
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db
LEDGER = "credits.view_credittransaction"
PARTS = ["creditlot", "credithold", "creditdebt"]
CHECK = reverse("admin:credits_integrityrun_check")


def post(user, kind, amount, key, **more):
    posting = Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)
    return services.post(posting).transaction_id


@pytest.fixture
def reader(client):
    client.force_login(StaffFactory(permissions=[LEDGER, "credits.view_integrityrun"]))


@pytest.fixture
def history(reader):
    """A customer with two lots, a debt, and a hold that was captured."""
    ada = CustomerFactory(email="ada@example.com")
    bought = post(ada, TransactionKind.PURCHASE, 50, 1, paid_minor=500, currency="USD", reference="pi_1")
    post(ada, TransactionKind.USAGE, -50, 2)
    services.claw_back(
        transaction_id=bought,
        amount=Decimal(20),
        kind=TransactionKind.CHARGEBACK,
        idempotency_key="test:claw",
        reference="dp_1",
    )
    post(ada, TransactionKind.GIFT, 30, 3, expires_at=clock.now() + timedelta(days=5))
    hold = services.place_hold(user_id=ada.pk, amount=Decimal(4), idempotency_key="test:h", reference="job 1")
    services.capture_hold(hold_id=hold.hold_id, amount=None, idempotency_key="test:c")
    return ada


def address(model, *args):
    return reverse(f"admin:credits_{model}_{'change' if args else 'changelist'}", args=args)


def found(client, model, **query):
    return [row.pk for row in client.get(address(model), query).context["cl"].result_list]


def ids(rows):
    return list(rows.order_by("-created_at", "-pk").values_list("pk", flat=True))


def test_lots_are_found_by_customer_number_source_and_what_is_left(client, history):
    everything = ids(CreditLot.objects)
    gift = CreditLot.objects.get(source_kind="gift")
    assert found(client, "creditlot") == found(client, "creditlot", q="ADA@example.com") == everything
    for query in ({"q": str(gift.pk)}, {"source_kind__exact": "gift"}, {"left": "open"}, {"expiring": "7"}):
        assert found(client, "creditlot", **query) == [gift.pk], query
    assert found(client, "creditlot", left="closed") == [pk for pk in everything if pk != gift.pk]
    assert found(client, "creditlot", q="nobody@example.com") == []


def test_holds_are_found_by_reference_and_state(client, history):
    hold = CreditHold.objects.get()
    for query in ({"q": "job 1"}, {"q": str(hold.pk)}, {"state__exact": "captured"}, {"q": "ada@example.com"}):
        assert found(client, "credithold", **query) == [hold.pk], query
    assert found(client, "credithold", state__exact="open") == []


def test_debts_are_found_by_state_and_clawback(client, history):
    debt = CreditDebt.objects.get()
    for query in ({"q": "dp_1"}, {"state": "paid"}, {"q": "ada@example.com"}):
        assert found(client, "creditdebt", **query) == [debt.pk], query
    assert found(client, "creditdebt", state="open") == []


@pytest.mark.parametrize("model", PARTS)
def test_each_row_has_a_page_that_leads_to_its_entry(client, history, model):
    (first, *_) = found(client, model)
    assert "/admin/credits/credittransaction/" in client.get(address(model, first)).content.decode()


@pytest.mark.parametrize("model", PARTS)
def test_the_lists_take_the_same_number_of_queries_for_few_and_many(client, history, model, django_assert_num_queries):
    for user in CustomerFactory.create_batch(20):
        post(user, TransactionKind.GIFT, 10, f"many{user.pk}")
        services.place_hold(user_id=user.pk, amount=Decimal(1), idempotency_key=f"test:h{user.pk}")
    client.get(address(model))
    with django_assert_num_queries(6):
        client.get(address(model))


@pytest.mark.parametrize("model", [*PARTS, "integrityrun"])
def test_who_may_not_see_the_ledger_sees_none_of_it(client, model):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(address(model)).status_code == 403


@pytest.mark.parametrize("model", [*PARTS, "integrityrun"])
@pytest.mark.parametrize("verb", ["add/", "1/delete/", "1/change/"])
def test_nobody_writes_there_by_hand(client, model, verb):
    client.force_login(StaffFactory(is_superuser=True))
    assert client.post(address(model) + verb, {"remaining": "1"}).status_code in (302, 403)


def test_an_entry_tells_its_debt_its_hold_and_what_undid_it(client, history):
    debt, hold = CreditDebt.objects.get(), CreditHold.objects.get()
    page = client.get(address("credittransaction", debt.transaction_id)).content.decode()
    assert address("creditdebt", debt.pk) in page
    assert address("credittransaction", debt.transaction.reverses_id) in page
    assert (
        address("credithold", hold.pk) in client.get(address("credittransaction", hold.transaction_id)).content.decode()
    )
    assert (
        address("credittransaction", debt.transaction_id)
        in client.get(address("credittransaction", debt.transaction.reverses_id)).content.decode()
    )


def test_an_entry_tells_all_lots_that_it_opened(client, history):
    clawback = CreditTransaction.objects.get(kind="chargeback")
    post(history, TransactionKind.GIFT, 1, 9)
    back = services.reinstate(transaction_id=clawback.pk, idempotency_key="test:back").transaction_id
    opened = list(CreditLot.objects.filter(transaction=back))
    page = client.get(address("credittransaction", back)).content.decode()
    assert opened
    assert all(address("creditlot", lot.pk) in page for lot in opened)


def run(**more):
    now = clock.now()
    fields = {"source": "beat", "started_at": now, "finished_at": now, "accounts": 3, "faults": 0, **more}
    return IntegrityRun.objects.create(**fields)


def test_a_proof_tells_what_it_found(client, reader):
    user = CustomerFactory()
    finding = {"rule": "<script>alert(1)</script>", "account": user.pk, "row": 5, "detail": "off by 1"}
    page = client.get(address("integrityrun", run(faults=1, findings=[finding]).pk)).content.decode()
    assert "off by 1" in page
    assert "<script>alert(1)" not in page


def test_check_now_hands_the_work_to_a_worker(client, monkeypatch, django_capture_on_commit_callbacks):
    member = StaffFactory(permissions=["credits.view_integrityrun", "credits.verify_ledger"])
    client.force_login(member)
    asked = []
    monkeypatch.setattr(proofs, "nudge", lambda task, *args: asked.append((task.name, args)))
    now = clock.now()
    with clock.at(now):
        response = client.post(CHECK, follow=True)
    assert asked == [("credits.tasks.verify_ledger_for", (member.pk, now.isoformat()))]
    assert "A worker checks the ledger now" in response.content.decode()
    assert client.get(CHECK).status_code == 405


def test_who_may_only_read_proofs_cannot_ask_for_one(client, reader):
    assert client.post(CHECK).status_code == 403
    assert CHECK not in client.get(address("integrityrun")).content.decode()


@pytest.mark.parametrize(
    ("faults", "age", "badge"), [(0, PROOF_LASTS / 2, 0), (3, PROOF_LASTS / 2, 3), (0, PROOF_LASTS * 2, 1)]
)
def test_the_sidebar_warns_of_faults_and_of_a_proof_that_is_old(faults, age, badge):
    run(faults=faults, started_at=clock.now() - age)
    assert _integrity_badge() == badge


@pytest.mark.django_db(transaction=True)
def test_a_proof_that_staff_asked_for_is_audited():
    member = StaffFactory()
    tasks.verify_ledger_for(member.pk, clock.now().isoformat())
    assert IntegrityRun.objects.get().source == "staff"
    assert AuditEntry.objects.get().actor_id == member.pk


@pytest.mark.django_db(transaction=True)
def test_asking_again_and_again_is_answered_by_one_proof():
    member, asked_at = StaffFactory(), clock.now().isoformat()
    for _ in range(3):
        tasks.verify_ledger_for(member.pk, asked_at)
    assert IntegrityRun.objects.count() == 1
    tasks.verify_ledger_for(member.pk, clock.now().isoformat())
    assert IntegrityRun.objects.count() == 2
