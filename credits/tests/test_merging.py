"""Two rows of one customer become one: what moves, what stays, what is refused, and what happens at the same moment."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts import selectors as people
from accounts import services as accounts
from accounts.errors import CustomerMerged, CustomerRetired, MergeRefused, ReasonRefused, UnknownCustomer
from accounts.models import ActivityEvent, Customer, CustomerTag, RetiredCustomer, StaffNote, StatusChange, Tag
from audit.models import AuditEntry
from audit.selectors import first_chain_fault
from backoffice.lib import clock
from credits import selectors, services
from credits.errors import CustomerBanned
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditLot, CreditTransaction
from credits.postings import PostResult
from credits.tests.merges import DAY, balance, charge, entries, merge, post, take_back
from jobs.models import Approval
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    return CustomerFactory(external_id="stays", full_name=""), CustomerFactory(external_id="goes", full_name="Ada")


def test_credits_move_lot_by_lot_with_their_terms_and_what_was_paid(pair):
    survivor, merged = pair
    end = clock.now() + 30 * DAY
    post(survivor, 5, "own")
    post(merged, 100, "bought", TransactionKind.PURCHASE, paid_minor=1001, currency="USD")
    post(merged, 50, "given", expires_at=end, priority=10)
    # All of what lapses first, and a third of what was bought.
    charge(merged.pk, 83, "used")
    assert merge(survivor, merged).moved["credits"] == "67"
    assert (balance(survivor), balance(merged)) == (72, 0)
    [lot] = CreditLot.objects.filter(account_id=survivor.pk, is_open=True).exclude(source_kind="gift")
    assert (lot.amount, lot.paid_minor, lot.currency, lot.expires_at) == (67, 671, "USD", None)
    assert entries(merged)[-1] == ("adjustment", -67)
    assert entries(survivor)[-1] == ("adjustment", 67)
    references = CreditTransaction.objects.filter(kind="adjustment").values_list("reference", flat=True)
    assert set(references) == {f"merge:{merged.pk}:{survivor.pk}"}
    assert list(selectors.verify()) == []


def test_each_lot_keeps_its_end_and_its_place_in_the_order(pair):
    survivor, merged = pair
    first, second = clock.now() + 5 * DAY, clock.now() + 9 * DAY
    post(merged, 10, "late", expires_at=second)
    post(merged, 20, "soon", expires_at=first)
    post(merged, 30, "first of all", priority=1)
    merge(survivor, merged)
    lots = CreditLot.objects.filter(account_id=survivor.pk).order_by("pk")
    assert [(lot.amount, lot.priority, lot.expires_at) for lot in lots] == [
        (30, 1, None),
        (20, 100, first),
        (10, 100, second),
    ]


def test_the_value_of_all_lots_together_stays_the_same(pair):
    survivor, merged = pair
    for number, (amount, paid) in enumerate([("33.3333", 1000), ("7", 1), ("100", 0)]):
        post(merged, amount, number, TransactionKind.PURCHASE, paid_minor=paid, currency="EUR")
    charge(merged.pk, "17.1", "used")
    left = [lot for lot in selectors.standing(user_id=merged.pk, now=clock.now()).lots if lot.remaining]
    value = sum(lot.terms.paid_minor - lot.value_of_first(lot.amount - lot.remaining) for lot in left)
    merge(survivor, merged)
    assert CreditLot.objects.filter(account_id=survivor.pk).aggregate(total=Sum("paid_minor"))["total"] == value


def test_lapsed_credits_do_not_move(pair):
    survivor, merged = pair
    post(merged, 10, "lapsing", expires_at=clock.now() + DAY)
    with clock.at(clock.now() + 2 * DAY):
        merge(survivor, merged)
    assert not CreditTransaction.objects.filter(account_id=survivor.pk).exists()


def test_what_comes_in_pays_the_debt_of_who_stays(pair):
    survivor, merged = pair
    bought = post(survivor, 10, "bought", TransactionKind.PURCHASE, paid_minor=100, currency="USD")
    charge(survivor.pk, 10, "used")
    take_back(bought, 10)
    post(merged, 25, "given")
    merge(survivor, merged)
    account = CreditAccount.objects.get(pk=survivor.pk)
    assert (account.balance, account.debt) == (15, 0)
    assert list(selectors.verify()) == []


def test_an_allowance_ends_with_the_row_it_is_on(pair):
    survivor, merged = pair
    services.set_allowance(user_id=merged.pk, amount=Decimal(20), period_start=clock.now())
    merge(survivor, merged)
    account = CreditAccount.objects.get(pk=merged.pk)
    assert (account.monthly_allowance, account.next_reset_at, balance(survivor)) == (0, None, 20)


def test_what_is_known_of_the_two_becomes_one(pair):
    survivor, merged = pair
    staff, tags = StaffFactory(), [Tag.objects.create(name=name) for name in ("VIP", "Press")]
    for user in pair:
        accounts.record_activity(event_id=f"s{user.pk}", action="signup", user_id=user.pk)
        accounts.record_activity(event_id=f"l{user.pk}", action="login", user_id=user.pk)
        accounts.add_note(user_id=user.pk, text=f"on {user.pk}", actor=staff)
        accounts.tag_customer(user_id=user.pk, tag_id=tags[0].pk, actor=staff)
    accounts.tag_customer(user_id=merged.pk, tag_id=tags[1].pk, actor=staff)
    Customer.objects.filter(pk=merged.pk).update(stripe_customer_id="cus_1", country="DE")
    merge(survivor, merged)
    assert ActivityEvent.objects.filter(user=survivor).count() == 3
    assert list(ActivityEvent.objects.filter(user=merged).values_list("action", flat=True)) == ["signup"]
    assert StaffNote.objects.filter(user=survivor).count() == 2
    assert CustomerTag.objects.filter(user=survivor).count() == 2
    assert not CustomerTag.objects.filter(user=merged).exists()
    survivor.refresh_from_db()
    assert (survivor.full_name, survivor.country, survivor.stripe_customer_id, survivor.external_id) == (
        "Ada",
        "DE",
        "cus_1",
        "stays",
    )


def test_the_other_row_stays_nameless_and_shut_out_and_says_where_it_went(pair):
    survivor, merged = pair
    email = merged.email
    merge(survivor, merged)
    merged.refresh_from_db()
    assert (merged.status, merged.status_reason) == ("banned", f"merged into customer {survivor.pk}")
    assert (merged.email, merged.full_name, merged.external_id) == (f"{merged.pk}@retired.invalid", "", None)
    CustomerFactory(email=email)
    assert StatusChange.objects.get(user=merged).source == f"merge:{survivor.pk}"
    with pytest.raises(CustomerBanned):
        charge(merged.pk, 1, "after")
    with pytest.raises(CustomerRetired):
        accounts.unban_customer(user_id=merged.pk, reason="x", actor=StaffFactory())


def test_the_merge_is_in_the_log_of_both_without_a_name(pair):
    survivor, merged = pair
    staff = StaffFactory()
    post(merged, 10, "given")
    merge(survivor, merged, staff)
    logged = AuditEntry.objects.filter(action="accounts.merge_customers").order_by("pk")
    assert [(entry.resource_id, entry.actor_id, entry.reason) for entry in logged] == [
        (str(merged.pk), staff.pk, "Signed up twice"),
        (str(survivor.pk), staff.pk, "Signed up twice"),
    ]
    assert logged[0].new_values["merged_into"] == survivor.pk
    assert logged[1].new_values["absorbed"] == merged.pk and logged[1].new_values["credits"] == "10"
    assert "Ada" not in str([(entry.old_values, entry.new_values) for entry in logged])


def test_the_products_id_of_the_other_leads_to_who_stayed(pair):
    survivor, merged = pair
    merge(survivor, merged)
    post(survivor, 10, "given")
    product = Program(key())
    told = {"user": "goes", "amount": "3", "action_type": "image", "idempotency_key": "k1"}
    assert product.post("credits/charges", told).json()["balance_after"] == "7"
    batch = {"charges": [told | {"idempotency_key": "k2"}, told | {"user": "stays", "idempotency_key": "k3"}]}
    answer = product.post("credits/charges/batch", batch).json()["results"]
    assert [item["balance_after"] for item in answer] == ["4", "1"]
    assert product.get("users/goes").json()["external_id"] == "stays"
    event = {"event_id": "e1", "action": "login", "at": clock.now().isoformat(), "user": "goes"}
    product.post("events", {"events": [event]})
    assert ActivityEvent.objects.get(event_id="e1").user_id == survivor.pk
    assert people.customer_by_reference("goes").pk == survivor.pk


def test_the_product_is_told_to_go_on_with_the_other_id(pair):
    survivor, merged = pair
    merge(survivor, merged)
    refused = Program(key()).put("users/goes", {"email": "new@example.com"})
    assert (refused.status_code, code_of(refused)) == (409, "user_merged")
    assert refused.json()["error"]["details"] == {"into": "stays"}
    assert Customer.objects.count() == 2
    with pytest.raises(CustomerMerged):
        accounts.put_customer(external_id="goes", told={})


def test_who_has_no_id_of_the_products_takes_the_others_over():
    survivor, merged = CustomerFactory(external_id=None), CustomerFactory(external_id="goes")
    merge(survivor, merged)
    survivor.refresh_from_db()
    assert survivor.external_id == "goes"
    assert RetiredCustomer.objects.get().former_id is None
    assert Program(key()).put("users/goes", {"full_name": "Ada"}).status_code == 200
    assert people.customer_by_reference(str(merged.pk)) is None


def test_merges_in_a_row_lead_to_the_last():
    first, second, third = (CustomerFactory(external_id=name) for name in ("a", "b", "c"))
    post(first, 10, "given")
    merge(second, first)
    merge(third, second)
    assert {retired.into_id for retired in RetiredCustomer.objects.all()} == {third.pk}
    assert people.customer_by_external_id("a").pk == third.pk
    assert balance(third) == 10
    assert people.family_of(third.pk) == [third.pk, first.pk, second.pk]


def test_the_same_merge_again_does_nothing(pair):
    survivor, merged = pair
    post(merged, 10, "given")
    merge(survivor, merged)
    assert merge(survivor, merged).replayed
    assert balance(survivor) == 10
    assert AuditEntry.objects.filter(action="accounts.merge_customers").count() == 2


def refusal(survivor, merged):
    with pytest.raises(MergeRefused) as refused:
        merge(survivor, merged)
    assert not RetiredCustomer.objects.filter(pk=merged.pk, into_id=survivor.pk).exists()
    return str(refused.value)


def test_what_stands_in_the_way_is_said_and_nothing_moves(pair):
    survivor, merged = pair
    post(merged, 20, "given")
    services.place_hold(user_id=merged.pk, amount=Decimal(5), idempotency_key="test:hold")
    Customer.objects.filter(pk=survivor.pk).update(stripe_customer_id="cus_1")
    Customer.objects.filter(pk=merged.pk).update(stripe_customer_id="cus_2", demo_mode=False)
    Approval.objects.create(
        verb="credits.gift",
        params={},
        amount=Decimal(7),
        resource_type="accounts.user",
        resource_id=str(merged.pk),
        requested_by=StaffFactory(),
        reason="x",
        token="test:1",
        expires_at=clock.now() + DAY,
    )
    said = refusal(survivor, merged)
    for words in ("5 credits are held", "cus_1 and cus_2", "waits for a second person"):
        assert words in said
    assert balance(merged) == 20


def test_debts_bans_demo_and_oneself_are_refused(pair):
    survivor, merged = pair
    bought = post(merged, 10, "bought", TransactionKind.PURCHASE, paid_minor=100, currency="USD")
    charge(merged.pk, 10, "used")
    take_back(bought, 4)
    assert "owes 4 credits" in refusal(survivor, merged)
    assert "is banned" in refusal(survivor, CustomerFactory(status="banned"))
    assert "demo" in refusal(survivor, CustomerFactory(demo_mode=True))
    assert "into themselves" in refusal(survivor, survivor)
    gone = CustomerFactory()
    merge(survivor, gone)
    assert "before" in refusal(CustomerFactory(), gone)
    with pytest.raises(UnknownCustomer):
        merge(survivor, StaffFactory())
    with pytest.raises(ReasonRefused):
        merge(survivor, CustomerFactory(), reason=" ")


def test_if_one_step_fails_nothing_has_moved(pair, monkeypatch):
    survivor, merged = pair
    post(merged, 10, "given")
    accounts.add_note(user_id=merged.pk, text="x", actor=StaffFactory())

    def fail(**entry):
        raise RuntimeError

    monkeypatch.setattr("accounts.services.merging.record", fail)
    with pytest.raises(RuntimeError):
        merge(survivor, merged)
    assert balance(merged) == 10
    assert StaffNote.objects.get().user_id == merged.pk
    assert not RetiredCustomer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_charges_beside_a_merge_are_booked_once_or_refused_and_nothing_is_lost(pair):
    survivor, merged = pair
    post(merged, 100, "given")
    calls = [lambda n=n: charge(merged.pk, 1, n) for n in range(12)]
    answers = at_once([*calls[:6], lambda: merge(survivor, merged), *calls[6:]])
    charged = [answer for answer in answers if isinstance(answer, PostResult)]
    refused = [answer for answer in answers if isinstance(answer, CustomerBanned)]
    assert len(charged) + len(refused) == 12, answers
    assert (balance(survivor), balance(merged)) == (100 - len(charged), 0)
    assert list(selectors.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_merges_in_opposite_directions_end_in_one_merge_and_no_deadlock():
    staff = StaffFactory()
    for turn in range(4):
        one, other = CustomerFactory.create_batch(2)
        for user in (one, other):
            post(user, 10, f"given{turn}")
        answers = at_once([lambda a=one, b=other: merge(a, b, staff), lambda a=one, b=other: merge(b, a, staff)])
        refused = [answer for answer in answers if isinstance(answer, MergeRefused)]
        assert len(refused) == 1, answers
        assert sorted([balance(one), balance(other)]) == [0, 20]
    assert list(selectors.verify()) == []
    assert first_chain_fault(anchors=[]) is None


@pytest.mark.django_db(transaction=True)
def test_the_product_that_tells_of_a_customer_in_the_same_moment_makes_no_second_one(pair):
    survivor, merged = pair
    told = {"email": "again@example.com", "full_name": "Ada"}
    tell = [lambda: accounts.put_customer(external_id="goes", told=told)] * 4
    answers = at_once([*tell, lambda: merge(survivor, merged)])
    assert all(isinstance(answer, (accounts.PutResult, CustomerMerged)) for answer in answers[:4]), answers
    assert not any(getattr(answer, "created", False) for answer in answers[:4])
    assert Customer.objects.count() == 2
