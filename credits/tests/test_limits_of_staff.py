"""What staff may give by themselves, at every door; above it a second person decides."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEntry
from backoffice.lib import clock
from credits import selectors, services
from credits.errors import InsufficientCredits
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from jobs.errors import LimitExceeded
from jobs.models import Approval, LimitUse, RoleLimit
from jobs.services import approve
from tests.api import Program, key
from tests.factories import CustomerFactory, StaffFactory, permission
from tests.threads import at_once

pytestmark = pytest.mark.django_db
PERMISSIONS = [
    "accounts.view_customer",
    "credits.gift_credits",
    "credits.adjust_credits",
    "credits.refund_usage",
    "credits.view_credittransaction",
    "jobs.view_approval",
]


def member(per_act=100, per_day=250, *more):
    """Somebody whose role limits each act on credits."""
    role = Group.objects.create(name=f"role {uuid.uuid4()}")
    for name in [*PERMISSIONS, *more]:
        role.permissions.add(permission(*name.split(".")))
    for verb in ("credits.gift", "credits.adjust", "credits.refund"):
        RoleLimit.objects.create(group=role, verb=verb, per_act=per_act, per_day=per_day)
    staff = StaffFactory()
    staff.groups.add(role)
    return User.objects.get(pk=staff.pk)


def boss(per_act=1000, per_day=5000):
    return member(per_act, per_day, "jobs.decide_approval")


@pytest.fixture
def customer():
    return CustomerFactory()


@pytest.fixture
def clerk():
    return member()


def gift(actor, customer, amount, name):
    return services.gift_credits(
        user_id=customer.pk, amount=Decimal(amount), reason="sorry", actor=actor, idempotency_key=f"test:{name}"
    )


def used(customer, amount):
    gift(StaffFactory(is_superuser=True), customer, amount, uuid.uuid4())
    return services.post(
        Posting(
            user_id=customer.pk,
            kind=TransactionKind.USAGE,
            amount=-Decimal(amount),
            idempotency_key=f"test:{uuid.uuid4()}",
        )
    ).transaction_id


ACTS = {
    "gift": lambda actor, customer: gift(actor, customer, 101, "a"),
    "adjust": lambda actor, customer: services.adjust_credits(
        user_id=customer.pk, amount=Decimal(101), reason="r", actor=actor, idempotency_key="test:a"
    ),
    "take": lambda actor, customer: services.adjust_credits(
        user_id=customer.pk, amount=Decimal(-101), reason="r", actor=actor, idempotency_key="test:a"
    ),
    "refund": lambda actor, customer: services.refund_usage(
        transaction_id=used(customer, 101), amount=None, reason="r", actor=actor, idempotency_key="test:a"
    ),
    "reverse": lambda actor, customer: services.reverse_transaction(
        transaction_id=gift(StaffFactory(is_superuser=True), customer, 101, "b").transaction_id,
        reason="r",
        actor=actor,
        idempotency_key="test:a",
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_every_act_of_staff_on_credits_is_held_to_a_limit_and_leaves_nothing_above_it(act, clerk, customer):
    gift(StaffFactory(is_superuser=True), customer, 500, "start")
    with pytest.raises(LimitExceeded):
        act(clerk, customer)
    assert not CreditTransaction.objects.filter(actor=clerk).exists()
    assert not LimitUse.objects.filter(staff=clerk).exists()
    assert not AuditEntry.objects.filter(actor=clerk).exists()


def test_a_replay_is_answered_although_the_limit_is_used_up(clerk, customer):
    first = gift(clerk, customer, 100, "a")
    gift(clerk, customer, 100, "b")
    gift(clerk, customer, 50, "c")
    again = gift(clerk, customer, 100, "a")
    assert (again.transaction_id, again.replayed) == (first.transaction_id, True)
    with pytest.raises(LimitExceeded):
        gift(clerk, customer, 1, "d")


def test_a_refused_act_uses_nothing_of_the_day(clerk, customer):
    with pytest.raises(InsufficientCredits):
        services.adjust_credits(
            user_id=customer.pk, amount=Decimal(-50), reason="r", actor=clerk, idempotency_key="test:a"
        )
    assert not LimitUse.objects.exists()


def form(**more):
    return {"amount": "500", "reason": "A long outage", "last_day": "", "token": str(uuid.uuid4()), **more}


def text_of(response):
    return re.sub(r"<[^>]+>|\s+", " ", response.content.decode())


def test_the_form_says_that_a_second_person_is_needed_and_asks_for_one(client, clerk, customer):
    client.force_login(clerk)
    address, filled = reverse("admin:credits_gift", args=[customer.pk]), form()
    page = client.post(address, filled)
    assert "Your limit for one act is 100 credits." in text_of(page)
    assert "Request approval" in text_of(page) and 'name="noticed" value="yes"' in page.content.decode()
    response = client.post(address, {**filled, "confirm": "yes", "noticed": "yes"}, follow=True)
    approval = Approval.objects.get()
    assert f"Request {approval.pk} waits for a second person" in text_of(response)
    assert (approval.verb, approval.amount, approval.reason) == ("credits.gift", 500, "A long outage")
    # A double click asks once.
    client.post(address, {**filled, "confirm": "yes", "noticed": "yes"})
    assert Approval.objects.count() == 1
    assert not CreditTransaction.objects.exists()


def test_a_limit_that_is_used_up_between_effect_and_confirmation_is_told_and_nothing_is_done(client, clerk, customer):
    client.force_login(clerk)
    address, filled = reverse("admin:credits_gift", args=[customer.pk]), form(amount="100")
    assert "Request approval" not in text_of(client.post(address, filled))
    gift(clerk, customer, 100, "a")
    gift(clerk, customer, 100, "b")
    page = client.post(address, {**filled, "confirm": "yes"})
    assert "Your limit for a day is 250 credits, of which 200 credits are used." in text_of(page)
    assert CreditTransaction.objects.count() == 2 and not Approval.objects.exists()


def test_what_is_allowed_is_booked_in_the_name_of_who_asked_and_told_in_order(client, clerk, customer):
    client.force_login(clerk)
    address, filled = reverse("admin:credits_gift", args=[customer.pk]), form()
    client.post(address, {**filled, "confirm": "yes", "noticed": "yes"})
    approval, second = Approval.objects.get(), boss()
    client.force_login(second)
    page = client.get(reverse("admin:jobs_approval_changelist"))
    assert "Gift credits: 500 credits" in text_of(page) and customer.email in text_of(page)
    decide = reverse("admin:jobs_approval_approve", args=[approval.pk])
    decision = {"reason": "Fine", "token": str(uuid.uuid4())}
    assert f"Gift credits: 500 credits ({customer.email}), asked by {clerk}" in text_of(client.get(decide))
    shown = client.post(decide, decision)
    assert [change.label for change in shown.context["changes"]][:1] == ["Balance"]
    done = client.post(decide, {**decision, "confirm": "yes"}, follow=True)
    assert "Approved and done. 500 credits added" in text_of(done)
    assert "This is decided already" in text_of(client.get(decide, follow=True))
    home = reverse("admin:index")
    assert "What became of your requests" not in text_of(client.get(home))
    client.force_login(clerk)
    assert "Gift credits: 500 credits: Fine" in text_of(client.get(home))
    with clock.at(clock.now() + timedelta(days=4)):
        client.force_login(clerk)
        assert "What became of your requests" not in text_of(client.get(home))
    [entry] = CreditTransaction.objects.filter(account=customer.pk)
    assert (entry.amount, entry.actor_id, entry.description) == (500, clerk.pk, "A long outage")
    told = AuditEntry.objects.filter(resource_type="accounts.user").order_by("pk")
    assert [(line.action, line.actor_id) for line in told] == [
        ("jobs.request_approval", clerk.pk),
        ("credits.gift", clerk.pk),
        ("jobs.approve", second.pk),
    ]
    assert told[1].new_values["approved_by"] == str(second)
    # Twice allowed is done once.
    client.post(decide, {**decision, "token": str(uuid.uuid4()), "confirm": "yes"})
    assert CreditTransaction.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "amount", "verb"),
    [("credits_refund", "", "credits.refund"), ("credits_reverse", "", "credits.reverse")],
)
def test_refunds_and_reversals_can_be_asked_for_too(client, clerk, customer, address, amount, verb):
    entry = used(customer, 300) if verb == "credits.refund" else None
    if entry is None:
        entry = gift(StaffFactory(is_superuser=True), customer, 300, "g").transaction_id
    before = selectors.balance_of(user_id=customer.pk).balance
    client.force_login(clerk)
    filled = {"amount": amount, "reason": "Wrong", "token": str(uuid.uuid4())}
    url = reverse(f"admin:{address}", args=[entry])
    assert "Request approval" in text_of(client.post(url, filled))
    client.post(url, {**filled, "confirm": "yes", "noticed": "yes"})
    approval = Approval.objects.get()
    assert (approval.verb, approval.amount, approval.params["transaction"]) == (verb, 300, entry)
    approve(approval_id=approval.pk, actor=boss())
    assert abs(selectors.balance_of(user_id=customer.pk).balance - before) == 300


def test_who_may_not_see_requests_can_open_their_own_alone(client, clerk, customer):
    client.force_login(clerk)
    client.post(reverse("admin:credits_gift", args=[customer.pk]), form(confirm="yes", noticed="yes", amount="500"))
    approval = Approval.objects.get()
    stranger = StaffFactory(permissions=["accounts.view_customer"])
    client.force_login(stranger)
    assert client.get(reverse("admin:jobs_approval_change", args=[approval.pk])).status_code == 403
    for verb in ("approve", "deny"):
        assert client.post(reverse(f"admin:jobs_approval_{verb}", args=[approval.pk])).status_code == 403
    assert client.post(reverse("admin:jobs_approval_withdraw", args=[approval.pk])).status_code == 404


def test_a_program_above_its_members_limit_is_told_of_the_request(clerk, customer):
    program = Program(key("read", "admin", staff=clerk))
    body = {"user": customer.external_id, "amount": "500", "reason": "Outage", "idempotency_key": "k1"}
    first = program.post("admin/credits/gift", body)
    assert first.status_code == 202
    approval = Approval.objects.get()
    assert first.json() == {
        "approval_id": approval.pk,
        "state": "pending",
        "message": "Your limit for one act is 100 credits.",
    }
    assert program.post("admin/credits/gift", body).json()["approval_id"] == approval.pk
    other = program.post("admin/credits/gift", {**body, "amount": "600"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert Approval.objects.count() == 1 and not CreditTransaction.objects.exists()
    approve(approval_id=approval.pk, actor=boss())
    again = program.post("admin/credits/gift", body)
    assert (again.status_code, again.json()["state"]) == (202, "approved")
    assert CreditTransaction.objects.count() == 1


@pytest.mark.parametrize("verb", ["gift", "adjust", "refund"])
def test_what_a_second_person_was_asked_for_is_not_done_beside_it_once_the_limit_allows_it(clerk, customer, verb):
    program = Program(key("read", "admin", staff=clerk))
    what = {"transaction": used(customer, 300)} if verb == "refund" else {"user": customer.external_id, "amount": "200"}
    body = {**what, "reason": "Outage", "idempotency_key": "k1"}
    assert program.post(f"admin/credits/{verb}", body).status_code == 202
    RoleLimit.objects.update(per_act=None, per_day=None)
    entries = CreditTransaction.objects.count()
    again = program.post(f"admin/credits/{verb}", body)
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    other = program.post(f"admin/credits/{verb}", {**body, "amount": "150"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert CreditTransaction.objects.count() == entries


def test_a_form_whose_request_waits_does_not_do_the_act_beside_it(client, clerk, customer):
    client.force_login(clerk)
    address, filled = reverse("admin:credits_gift", args=[customer.pk]), form(confirm="yes")
    client.post(address, {**filled, "noticed": "yes"})
    RoleLimit.objects.update(per_act=None, per_day=None)
    page = client.post(address, filled, follow=True)
    assert f"Request {Approval.objects.get().pk} was made by this form before" in text_of(page)
    assert not CreditTransaction.objects.exists()


@pytest.mark.parametrize("verb", ["gift", "adjust", "refund", "reverse"])
def test_a_form_whose_act_is_done_asks_for_nothing_beside_it(client, clerk, customer, verb):
    client.force_login(clerk)
    subject = {"refund": lambda: used(customer, 80), "reverse": lambda: gift(clerk, customer, 80, "g").transaction_id}
    address = reverse(f"admin:credits_{verb}", args=[subject.get(verb, lambda: customer.pk)()])
    filled = form(confirm="yes", amount="40")
    client.post(address, filled)
    entries = CreditTransaction.objects.count()
    page = client.post(address, {**filled, "noticed": "yes"})
    assert "was done before" in text_of(page)
    assert (CreditTransaction.objects.count(), Approval.objects.count()) == (entries, 0)


@pytest.mark.django_db(transaction=True)
def test_a_form_that_is_sent_at_once_as_an_act_and_as_a_request_is_one_of_both():
    clerk, customer = member(), CustomerFactory()
    address, filled = reverse("admin:credits_gift", args=[customer.pk]), form(confirm="yes", amount="40")
    browsers = [Client() for _ in range(6)]
    for browser in browsers:
        browser.force_login(clerk)
    at_once(
        [
            lambda browser=browser, more={"noticed": "yes"} if n % 2 else {}: browser.post(address, {**filled, **more})
            for n, browser in enumerate(browsers)
        ]
    )
    assert CreditTransaction.objects.count() + Approval.objects.count() == 1


def test_a_program_asks_for_corrections_and_refunds_as_well(clerk, customer):
    program = Program(key("read", "admin", staff=clerk))
    entry = used(customer, 300)
    adjusted = program.post(
        "admin/credits/adjust",
        {"user": customer.external_id, "amount": "500", "reason": "Move", "idempotency_key": "k1"},
    )
    refunded = program.post("admin/credits/refund", {"transaction": entry, "reason": "Failed", "idempotency_key": "k2"})
    assert (adjusted.status_code, refunded.status_code) == (202, 202)
    assert sorted(Approval.objects.values_list("verb", "amount")) == [("credits.adjust", 500), ("credits.refund", 300)]


@pytest.mark.django_db(transaction=True)
def test_gifts_at_once_never_pass_the_limit_of_a_day():
    clerk, customer = member(100, 250), CustomerFactory()
    outcomes = at_once([lambda name=f"k{number}": gift(clerk, customer, 50, name) for number in range(10)])
    assert sum(isinstance(outcome, LimitExceeded) for outcome in outcomes) == 5
    assert selectors.balance_of(user_id=customer.pk).balance == 250
