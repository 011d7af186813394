"""What does not add up is listed, and set right by forms that show their effect and act once."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Customer, User
from audit.models import AuditEntry
from backoffice.lib import clock
from billing import tasks
from billing.errors import NotReconcilable
from billing.handlers.whose import WAIT_FOR_SESSION
from billing.models import EventState, Payment, Refund, StripeEvent
from billing.models.statuses import RefundStatus
from billing.selectors import reconciliation
from billing.services.processing import process_event
from billing.services.reconciling import assign_payment, settle_payment, take_back
from billing.services.replay import replay_event
from billing.services.settling import settle_money_back
from billing.tests.flow import bought, deliver, deliver_without_session, text_of
from billing.tests.stripe_bodies import (
    CREATED,
    charge,
    checkout_session,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from credits.selectors import balance_of, verify
from credits.services import claw_back, post
from jobs.models import RoleLimit
from tests.factories import CustomerFactory, StaffFactory, permission
from tests.threads import at_once, while_another_waits

pytestmark = pytest.mark.django_db

PAGE = "/admin/billing/reconciliation/"
PERMISSIONS = ["billing.view_payment", "billing.reconcile", "billing.replay_stripeevent"]


@pytest.fixture
def clerk(client):
    member = StaffFactory(permissions=PERMISSIONS)
    client.force_login(member)
    return member


@pytest.fixture
def parked():
    """A payment of somebody whom nobody here knows."""
    (stored,) = deliver_without_session(
        intent_succeeded(payment_intent(metadata={"credits": "100"}, customer="cus_unknown"))
    )
    assert stored.state == EventState.PARKED
    return stored


def words_of(response):
    return " ".join(text_of(response).replace("\xa0", " ").split())


def filled(**more):
    return {"reason": "Seen in Stripe", "token": str(uuid.uuid4()), **more}


def fix(name, number):
    return reverse(f"billing-{name}", args=[number])


def paid(**more):
    """A payment of ten dollars for 100 credits, booked."""
    intent = bought()
    deliver(intent_succeeded(intent))
    payment = Payment.objects.get(stripe_payment_id=intent["id"])
    if more:
        Payment.objects.filter(pk=payment.pk).update(**more)
    return Payment.objects.get(pk=payment.pk)


def unpaid_purchase(customer, *, credits=100, key="stripe:payment_intent:pi_gone"):
    result = post(
        Posting(
            user_id=customer.pk,
            kind=TransactionKind.PURCHASE,
            amount=Decimal(credits),
            idempotency_key=key,
            reference="pi_gone",
            paid_minor=1000,
            currency="USD",
        )
    )
    return CreditTransaction.objects.get(pk=result.transaction_id)


def entries():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "reason"))


# The lists


def test_nothing_is_listed_when_all_adds_up(client, clerk, customer):
    paid()
    page = words_of(client.get(PAGE))
    assert page.count("Adds up") == 4
    assert reconciliation.to_reconcile() == 0


def test_a_payment_that_is_parked_is_paid_and_not_credited_once_for_all_its_events(client, clerk, parked):
    deliver(session_completed(checkout_session(parked.payment_intent_id)))
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        for stored in StripeEvent.objects.all():
            process_event(event_id=stored.pk)
    (found,) = reconciliation.paid_not_credited()
    assert (found.payment_intent_id, len(found.events)) == (parked.payment_intent_id, 2)
    page = words_of(client.get(PAGE))
    assert parked.payment_intent_id in page
    assert "Nobody here is Stripe's customer cus_unknown" in page.replace("&#x27;", "'")
    html = client.get(PAGE).content.decode()
    latest = found.events[0]
    # Only the intent knows Stripe's customer.
    for address in (fix("assign", latest.pk), fix("link", parked.pk), fix("settle-event", latest.pk)):
        assert address in html
    client.post(fix("settle-event", latest.pk), filled(confirm="yes"))
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.IGNORED}


def test_an_event_that_no_worker_took_up_for_an_hour_is_listed(parked):
    StripeEvent.objects.update(state=EventState.RECEIVED, processed_at=None, next_attempt_at=clock.now())
    assert reconciliation.paid_not_credited() == []
    with clock.at(clock.now() + timedelta(hours=2)):
        assert [each.payment_intent_id for each in reconciliation.paid_not_credited()] == [parked.payment_intent_id]


def test_other_events_that_wait_are_listed_by_themselves(client, clerk):
    (stored,) = deliver(event("checkout.session.completed", {"id": "cs_1", "payment_status": "no_payment_required"}))
    assert reconciliation.paid_not_credited() == []
    assert reconciliation.other_waiting_events() == [stored]
    assert "The session was free" in words_of(client.get(PAGE))


def test_a_purchase_without_a_payment_is_listed_until_it_is_taken_back(customer):
    entry = unpaid_purchase(customer)
    assert reconciliation.credited_not_paid() == [entry]
    claw_back(transaction_id=entry.pk, amount=Decimal(40), kind=TransactionKind.REVERSAL, idempotency_key="k:1")
    assert [each.left for each in reconciliation.credited_not_paid()] == [60]
    claw_back(transaction_id=entry.pk, amount=Decimal(60), kind=TransactionKind.REVERSAL, idempotency_key="k:2")
    assert reconciliation.credited_not_paid() == []


def test_credits_taken_back_less_or_more_than_went_back_are_listed(customer):
    less = paid(refunded_minor=500, status="partially_refunded")
    more = paid()
    claw_back(
        transaction_id=more.transaction_id, amount=Decimal(1), kind=TransactionKind.REVERSAL, idempotency_key="k:1"
    )
    right = paid(refunded_minor=333, status="partially_refunded")
    claw_back(
        transaction_id=right.transaction_id,
        amount=Decimal("33.3"),
        kind=TransactionKind.REVERSAL,
        idempotency_key="k:2",
    )
    found = {each.payment: (each.wanted, each.taken) for each in reconciliation.out_of_balance()}
    assert found == {less: (50, 0), more: (0, 1)}


@pytest.mark.parametrize(("refunded", "disputed"), [(1, 0), (333, 0), (1000, 0), (0, 999), (400, 700), (7, 993)])
@pytest.mark.parametrize("left", [0, 1])
def test_what_is_settled_is_in_balance(customer, refunded, disputed, left):
    payment = paid()
    if refunded:
        Refund.objects.create(
            payment=payment,
            stripe_refund_id="re_1",
            amount_minor=refunded,
            status=RefundStatus.SUCCEEDED,
            policy="leave" if left else "claw_back",
            refunded_at=clock.now(),
        )
    if disputed:
        payment.disputes.create(
            stripe_dispute_id="dp_1", amount_minor=disputed, status="lost", opened_at=clock.now(), closed_at=clock.now()
        )
    settle_money_back(payment_id=payment.pk)
    assert Payment.objects.get().refunded_minor == refunded
    assert reconciliation.out_of_balance() == []
    assert list(verify()) == []


def test_the_sidebar_counts_events_as_they_are_and_the_rest_as_last_counted(parked, customer):
    unpaid_purchase(customer)
    paid(refunded_minor=500, status="partially_refunded")
    assert reconciliation.to_reconcile() == 1
    tasks.count_mismatches()
    assert reconciliation.to_reconcile() == 3


def test_the_lists_are_bounded(client, clerk, customer, monkeypatch):
    monkeypatch.setattr("billing.admin.reconciliation.MOST", 2)
    for number in range(3):
        unpaid_purchase(customer, key=f"stripe:payment_intent:pi_{number}")
    page = words_of(client.get(PAGE))
    assert "2+" in page
    assert "The latest 2 are shown" in page
    assert page.count("Take back") == 2


@pytest.mark.parametrize("number", [1, 4])
def test_the_page_asks_as_often_however_much_is_listed(
    client, clerk, customer, parked, number, django_assert_num_queries
):
    for each in range(number):
        unpaid_purchase(customer, key=f"stripe:payment_intent:pi_{each}")
        paid(refunded_minor=500, status="partially_refunded")
        deliver(event("checkout.session.completed", {"id": f"cs_{each}", "payment_status": "no_payment_required"}))
    client.get(PAGE)
    with django_assert_num_queries(10):
        client.get(PAGE)


def test_hostile_text_of_stripes_is_escaped(client, clerk, parked):
    StripeEvent.objects.update(error="<script>alert(1)</script>")
    page = client.get(PAGE).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("held", [PERMISSIONS[:1], PERMISSIONS[1:], []])
def test_the_page_and_its_fixes_need_both_permissions(client, parked, customer, held):
    client.force_login(StaffFactory(permissions=held))
    payment, entry = paid(), unpaid_purchase(customer)
    addresses = [
        PAGE,
        fix("assign", parked.pk),
        fix("link", parked.pk),
        fix("settle-event", parked.pk),
        fix("settle", payment.pk),
        fix("take-back", entry.pk),
    ]
    assert {client.get(address).status_code for address in addresses} == {403}
    assert {client.post(address, filled(confirm="yes")).status_code for address in addresses[1:]} == {403}
    assert entries() == []


@pytest.mark.parametrize("name", ["assign", "link", "settle-event", "settle", "take-back"])
def test_what_is_not_there_is_not_found(client, clerk, name):
    assert client.get(fix(name, 10**12)).status_code == 404


# Leave it


def test_an_event_is_left_with_a_reason(client, clerk, parked):
    shown = words_of(client.post(fix("settle-event", parked.pk), filled()))
    assert "State now Parked then Ignored" in shown
    assert StripeEvent.objects.get().state == EventState.PARKED
    client.post(fix("settle-event", parked.pk), filled(confirm="yes"))
    stored = StripeEvent.objects.get()
    assert (stored.state, stored.error) == (EventState.IGNORED, "Settled by hand: Seen in Stripe")
    assert entries() == [("billing.settle_event", "Seen in Stripe")]
    assert reconciliation.to_reconcile() == 0
    again = words_of(client.post(fix("settle-event", parked.pk), filled(confirm="yes")))
    assert "it waits for nobody" in again
    assert len(entries()) == 1


def test_a_payment_that_was_left_is_not_booked_by_what_stripe_says_of_it_later(client, clerk, customer):
    taken = charge(id="ch_1", payment_intent="pi_1", metadata={})
    (stored, *_) = deliver_without_session(
        intent_succeeded(payment_intent(id="pi_1", metadata={"credits": "100"}, customer="cus_ada")),
        event("charge.succeeded", taken),
    )
    assert stored.state == EventState.PARKED
    client.post(fix("settle-event", stored.pk), filled(confirm="yes"))
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    (later,) = deliver_without_session(event("charge.updated", taken, created=CREATED + 3600))
    assert (later.state, Payment.objects.exists()) == (EventState.IGNORED, False)
    assert "settled by hand" in later.error
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        replay_event(event_id=later.pk, actor=clerk, reason="It was never gifted")
    assert Payment.objects.get().user_id == customer.pk
    assert balance_of(customer.pk).balance == 100


def test_a_left_event_that_is_replayed_is_settled_by_hand_no_more(client, clerk, parked):
    client.post(fix("settle-event", parked.pk), filled(confirm="yes"))
    assert StripeEvent.objects.get().settled_by_hand
    replay_event(event_id=parked.pk, actor=clerk, reason="It was never gifted")
    stored = StripeEvent.objects.get()
    assert (stored.settled_by_hand, stored.state) == (False, EventState.RECEIVED)


# Link the customer


def test_a_stripe_customer_is_linked_and_the_payment_booked(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    shown = words_of(client.post(fix("link", parked.pk), filled(customer="u_ada")))
    assert "In Stripe now unknown then cus_unknown" in shown
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        page = words_of(client.post(fix("link", parked.pk), filled(customer="u_ada", confirm="yes"), follow=True))
    assert "Linked, and the event has taken effect." in page
    assert Customer.objects.get(pk=ada.pk).stripe_customer_id == "cus_unknown"
    assert Payment.objects.get().user_id == ada.pk
    assert entries() == [("billing.link_customer", "Seen in Stripe"), ("billing.replay_event", "Seen in Stripe")]


def test_nobody_is_linked_twice_and_no_link_is_written_over(client, clerk, parked):
    CustomerFactory(external_id="u_ada", stripe_customer_id="cus_ada")
    for form in (filled(customer="u_ada"), filled(customer="u_ada", confirm="yes")):
        assert "nobody is two" in words_of(client.post(fix("link", parked.pk), form))
    CustomerFactory(stripe_customer_id="cus_unknown")
    bob = CustomerFactory(external_id="u_bob")
    for form in (filled(customer="u_bob"), filled(customer="u_bob", confirm="yes")):
        assert "replay the event" in words_of(client.post(fix("link", parked.pk), form))
    assert Customer.objects.get(pk=bob.pk).stripe_customer_id is None
    assert entries() == []


# Assign and book


def test_a_payment_is_assigned_to_a_customer_and_what_waited_for_it_follows(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    form = {"customer": "u_ada", "credits": "120"}
    shown = words_of(client.post(fix("assign", parked.pk), filled(**form)))
    for line in ("Payment $10.00", f"Customer {ada.email}", "Credits +120", "Balance now 0 then 120"):
        assert line in shown
    assert not Payment.objects.exists()
    client.post(fix("assign", parked.pk), filled(**form, confirm="yes"))
    payment = Payment.objects.get()
    assert (payment.user_id, payment.credits_purchased, payment.amount_minor) == (ada.pk, 120, 1000)
    assert payment.transaction_id is not None
    assert balance_of(ada.pk).balance == 120
    stored = StripeEvent.objects.get()
    assert (stored.state, stored.error) == (
        EventState.IGNORED,
        f"Booked by hand for customer {ada.pk}: Seen in Stripe",
    )
    assert AuditEntry.objects.get().new_values["credits"] == "120"
    assert reconciliation.to_reconcile() == 0
    again = words_of(client.post(fix("assign", parked.pk), filled(**form, confirm="yes")))
    assert f"booked for customer {ada.pk} already" in again
    assert balance_of(ada.pk).balance == 120


def test_a_refund_that_waited_for_the_payment_is_booked_after_it_was_assigned(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    told = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "usd",
        "status": "succeeded",
        "payment_intent": parked.payment_intent_id,
        "created": 1_763_700_100,
        "metadata": {},
    }
    (refund,) = deliver(event("refund.created", told))
    assert refund.state != EventState.PROCESSED
    client.post(fix("assign", parked.pk), filled(customer="u_ada", credits="100", confirm="yes"))
    process_event(event_id=refund.pk)
    assert Payment.objects.get().refunded_minor == 500
    assert balance_of(ada.pk).balance == 50


def limited(per_act):
    role = Group.objects.create(name="limited")
    for name in PERMISSIONS:
        role.permissions.add(permission(*name.split(".")))
    RoleLimit.objects.create(group=role, verb="credits.adjust", per_act=per_act)
    member = StaffFactory()
    member.groups.add(role)
    return User.objects.get(pk=member.pk)


def test_more_credits_than_ones_limit_are_not_booked(client, parked):
    CustomerFactory(external_id="u_ada")
    client.force_login(limited(99))
    page = words_of(client.post(fix("assign", parked.pk), filled(customer="u_ada", credits="100", confirm="yes")))
    assert "Your limit for one act is 99 credits." in page
    assert not Payment.objects.exists()
    assert StripeEvent.objects.get().state == EventState.PARKED
    assert entries() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"customer": "nobody"}, "There is no such customer."),
        ({"credits": "0"}, "credits"),
        ({"credits": "NaN"}, "credits"),
        ({"customer": "u_ada\x00"}, "Null characters"),
        ({"reason": " "}, "required"),
    ],
)
def test_what_cannot_be_assigned_is_refused(client, clerk, parked, given, said):
    CustomerFactory(external_id="u_ada")
    form = filled(**{"customer": "u_ada", "credits": "100", "confirm": "yes"} | given)
    assert said in words_of(client.post(fix("assign", parked.pk), form))
    assert not Payment.objects.exists()


def test_an_event_that_tells_of_no_payment_cannot_be_assigned(client, clerk, customer):
    (stored,) = deliver(event("checkout.session.completed", {"id": "cs_1", "payment_status": "no_payment_required"}))
    page = words_of(client.post(fix("assign", stored.pk), filled(customer="u_ada", credits="1")))
    assert "does not say that a payment came in" in page


# Settle and take back


def test_credits_are_settled_by_what_went_back(client, clerk, customer):
    payment = paid()
    Refund.objects.create(
        payment=payment, stripe_refund_id="re_1", amount_minor=500, status="succeeded", refunded_at=clock.now()
    )
    Payment.objects.update(refunded_minor=500, status="partially_refunded")
    shown = words_of(client.post(fix("settle", payment.pk), filled()))
    assert "Credits taken back now 0 then 50" in shown
    assert "Balance now 100 then 50" in shown
    client.post(fix("settle", payment.pk), filled(confirm="yes"))
    assert balance_of(customer.pk).balance == 50
    assert entries() == [("billing.settle_payment", "Seen in Stripe")]
    assert "nothing to settle" in words_of(client.post(fix("settle", payment.pk), filled()))
    client.post(fix("settle", payment.pk), filled(confirm="yes"))
    assert len(entries()) == 1


def test_settling_by_hand_answers_and_records_all_that_it_changed(clerk, customer):
    payment = paid()
    Refund.objects.create(
        payment=payment, stripe_refund_id="re_1", amount_minor=500, status="succeeded", refunded_at=clock.now()
    )
    settled = settle_payment(payment_id=payment.pk, actor=clerk, reason="Seen in Stripe")
    assert (settled.refunded_minor, settled.status) == (500, "partially_refunded")
    entry = AuditEntry.objects.get()
    assert entry.old_values == {"refunded_minor": 0, "status": "succeeded", "taken_back": "0"}
    assert entry.new_values == {
        "payment": payment.stripe_payment_id,
        "refunded_minor": 500,
        "status": "partially_refunded",
        "taken_back": "50",
    }


def test_settling_a_payment_that_bought_no_credits_is_recorded_too(clerk, customer):
    payment = Payment.objects.create(
        user=customer,
        stripe_payment_id="pi_invoice",
        amount_minor=1000,
        currency="USD",
        status="succeeded",
        paid_at=clock.now(),
    )
    payment.disputes.create(
        stripe_dispute_id="dp_1", amount_minor=1000, status="lost", opened_at=clock.now(), closed_at=clock.now()
    )
    settle_payment(payment_id=payment.pk, actor=clerk, reason="Seen in Stripe")
    entry = AuditEntry.objects.get()
    assert entry.old_values == {"disputed_minor": 0, "status": "succeeded"}
    assert entry.new_values == {"payment": "pi_invoice", "disputed_minor": 1000, "status": "disputed"}


def test_a_purchase_that_nobody_paid_is_taken_back_once(client, clerk, customer):
    entry = unpaid_purchase(customer)
    shown = words_of(client.post(fix("take-back", entry.pk), filled()))
    assert "Credits -100 Balance now 100 then 0" in shown
    form = filled(confirm="yes")
    for _ in range(2):
        client.post(fix("take-back", entry.pk), form)
    assert balance_of(customer.pk).balance == 0
    assert CreditTransaction.objects.filter(reverses=entry).count() == 1
    assert entries() == [("billing.take_back_purchase", "Seen in Stripe")]
    assert list(verify()) == []


def test_a_purchase_that_was_paid_is_not_taken_back(client, clerk, customer):
    payment = paid()
    page = words_of(client.post(fix("take-back", payment.transaction_id), filled(confirm="yes")))
    assert "This purchase was paid" in page
    assert balance_of(customer.pk).balance == 100


def test_not_even_a_program_takes_back_what_was_paid(clerk, customer):
    payment = paid()
    with pytest.raises(NotReconcilable):
        take_back(
            transaction_id=payment.transaction_id,
            amount=Decimal(1),
            actor=clerk,
            reason="Seen in Stripe",
            idempotency_key="admin:take-back:1",
        )
    assert balance_of(customer.pk).balance == 100


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_several_people_assign_at_once_is_booked_once(parked):
    people = [CustomerFactory() for _ in range(4)]

    def assign(customer):
        return assign_payment(
            event_id=parked.pk, user_id=customer.pk, credits=Decimal(100), actor=StaffFactory(), reason="Seen in Stripe"
        )

    answers = at_once([lambda c=each: assign(c) for each in people])
    assert [type(answer) for answer in answers if not isinstance(answer, Payment)] == [NotReconcilable] * 3
    assert CreditTransaction.objects.count() == AuditEntry.objects.count() == Payment.objects.count() == 1
    assert list(verify()) == []


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_waits_for_a_payment_that_is_being_booked(customer):
    entry = unpaid_purchase(customer)
    clerk = StaffFactory()

    def book():
        accounts.lock_customers([customer.pk])
        Payment.objects.create(
            user=customer,
            transaction=entry,
            status="succeeded",
            stripe_payment_id="pi_late",
            amount_minor=1000,
            currency="USD",
            credits_purchased=100,
            paid_at=clock.now(),
        )

    def take():
        return take_back(
            transaction_id=entry.pk,
            amount=Decimal(100),
            actor=clerk,
            reason="Seen in Stripe",
            idempotency_key="admin:1",
        )

    assert isinstance(while_another_waits(book, take)[1], NotReconcilable)
    assert balance_of(customer.pk).balance == 100


def test_it_says_how_much_was_paid_and_by_whom(client, clerk, parked):
    assert "$10.00 of cus_unknown" in words_of(client.get(PAGE))
    (named,) = deliver_without_session(
        intent_succeeded(payment_intent(metadata={"user_id": "u_nobody"}, receipt_email="eve@example.com"))
    )
    assert "$10.00 of u_nobody" in words_of(client.get(PAGE))
    form = client.get(fix("assign", named.pk))
    assert "$10.00 of u_nobody" in words_of(form)
    assert form.context["form"].initial["customer"] == "u_nobody"


def test_what_is_said_of_it_cannot_be_a_script(client, clerk):
    deliver_without_session(intent_succeeded(payment_intent(metadata={"user_id": "<script>x</script>"})))
    html = client.get(PAGE).content.decode()
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "<script>x" not in html


def test_the_event_itself_says_so_too_and_leads_to_where_it_is_set_right(client, parked):
    member = StaffFactory(permissions=[*PERMISSIONS, "billing.view_stripeevent"])
    client.force_login(member)
    page = client.get(reverse("admin:billing_stripeevent_change", args=[parked.pk]))
    assert "$10.00 of cus_unknown" in words_of(page)
    assert f'href="{PAGE}"' in page.content.decode()


def test_a_parked_payment_is_found_by_its_id(client, parked):
    client.force_login(StaffFactory(permissions=["billing.view_stripeevent"]))
    groups = client.get("/admin/jump/", {"q": parked.payment_intent_id}).context["groups"]
    assert [hit.url for group in groups for hit in group.hits] == [
        reverse("admin:billing_stripeevent_change", args=[parked.pk])
    ]
