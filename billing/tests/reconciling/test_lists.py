"""What does not add up, as the page lists it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from backoffice.lib import clock
from billing import tasks
from billing.handlers.whose import WAIT_FOR_SESSION
from billing.models import EventState, Payment, Refund, StripeEvent
from billing.models.statuses import RefundStatus
from billing.selectors import reconciliation
from billing.services.processing import process_event
from billing.services.settling import settle_money_back
from billing.tests.flow import deliver, deliver_without_session
from billing.tests.reconciling.steps import PAGE, PERMISSIONS, entries, filled, fix, paid, unpaid_purchase, words_of
from billing.tests.stripe_bodies import (
    checkout_session,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from credits.kinds import TransactionKind
from credits.selectors import verify
from credits.services import claw_back
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


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
