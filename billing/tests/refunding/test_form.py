"""The form of a refund: who may, what it shows before, what it does once, and the second person."""

import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEntry
from backoffice.lib import clock
from billing import tasks
from billing.models import Payment, Refund, RefundStatus
from billing.tests.flow import page_of, text_of
from billing.tests.refunding.test_asking import limited
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.selectors import balance_of
from credits.services import charge_credits
from jobs.models import Approval, ApprovalState
from jobs.services import approve
from tests.factories import StaffFactory, permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def logged_in(client, clerk):
    client.force_login(clerk)
    return clerk


def words_of(response):
    return " ".join(text_of(response).replace("\xa0", " ").split())


def form_of(payment):
    return reverse("admin:billing_payment_refund", args=[payment.pk])


def filled(**more):
    token = str(uuid.uuid4())
    return {"amount": "5.00", "policy": "claw_back", "reason": "Charged twice", "token": token, **more}


def spend(customer, amount):
    charge_credits(user_id=customer.pk, amount=Decimal(amount), action_type="x", idempotency_key=f"api:x:{amount}")


def test_the_payments_page_leads_to_it_as_long_as_something_is_left(client, logged_in, pay):
    payment = pay()
    assert form_of(payment) in client.get(page_of(payment)).content.decode()
    Payment.objects.filter(pk=payment.pk).update(refunded_minor=1000, status="refunded")
    assert form_of(payment) not in client.get(page_of(payment)).content.decode()


def test_the_effect_is_shown_before_anything_is_done(client, logged_in, pay, customer, wire):
    payment = pay()
    Payment.objects.filter(pk=payment.pk).update(fee_minor=59, net_minor=941, settlement_currency="EUR")
    spend(customer, 80)
    page = words_of(client.post(form_of(payment), filled()))
    for line in (
        "Goes back $5.00",
        "Left of the payment now $10.00 then $5.00",
        "Credits -50",
        "Balance now 20 then -30",
        "Debt now 0 then 30",
        "Stripe keeps €0.59",
        "Charged twice",
    ):
        assert line in page
    assert not Refund.objects.exists()
    assert wire.calls == []


def test_the_effect_asks_the_database_a_bounded_number_of_questions(
    client, logged_in, pay, ask, customer, django_assert_num_queries
):
    payment = pay()
    for number in range(4):
        ask(payment, 10, key=f"admin:refund:{number}")
        spend(customer, number + 1)
    client.get(form_of(payment))
    with django_assert_num_queries(21):
        client.post(form_of(payment), filled(amount="1.00"))


def test_it_gives_back_what_was_asked_for_and_takes_the_credits(client, logged_in, pay, customer, stripe_server):
    payment = pay()
    page = words_of(client.post(form_of(payment), filled(confirm="yes"), follow=True))
    assert "$5.00 given back." in page
    assert [each["amount"] for each in stripe_server.refunds(payment.stripe_payment_id)] == [500]
    assert Payment.objects.get().refunded_minor == 500
    assert balance_of(customer.pk).balance == 50
    assert AuditEntry.objects.get(action="billing.refund_payment").reason == "Charged twice"


def test_credits_can_be_left(client, logged_in, pay, customer):
    payment = pay()
    assert "stay with the customer" in words_of(client.post(form_of(payment), filled(policy="leave")))
    client.post(form_of(payment), filled(policy="leave", amount="", confirm="yes"))
    assert Payment.objects.get().status == "refunded"
    assert balance_of(customer.pk).balance == 100
    assert not CreditTransaction.objects.filter(kind=TransactionKind.REVERSAL).exists()


def test_the_same_form_sent_twice_gives_back_once(client, logged_in, pay, wire):
    payment, form = pay(), filled(confirm="yes")
    for _ in range(2):
        assert "$5.00 given back." in words_of(client.post(form_of(payment), form, follow=True))
    assert wire.made() == Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("10.01", "usd", "At most $10.00"),
        ("0", "usd", "more than 0"),
        ("-1", "usd", "plain digits"),
        ("1.005", "usd", "at most 2 decimals"),
        ("0.5", "jpy", "at most 0 decimals"),
        ("0.001", "kwd", "steps of 0.010"),
        ("1e2", "usd", "plain digits"),
        ("NaN", "usd", "plain digits"),
        ("５", "usd", "plain digits"),
        ("1_0", "usd", "plain digits"),
        ("9" * 40, "usd", "plain digits"),
        ("1\x00", "usd", "plain digits"),
    ],
)
def test_an_amount_that_cannot_go_back_is_refused_with_a_sentence(client, logged_in, pay, amount, currency, said):
    payment = pay(1000, currency)
    for form in (filled(amount=amount), filled(amount=amount, confirm="yes")):
        assert said in words_of(client.post(form_of(payment), form))
    assert not Refund.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
def test_it_needs_a_reason(client, logged_in, pay, reason):
    response = client.post(form_of(pay()), filled(reason=reason, confirm="yes"))
    assert response.context["form"].errors["reason"]
    assert not Refund.objects.exists()


@pytest.mark.parametrize(("currency", "typed", "shown"), [("jpy", "300", "¥300"), ("kwd", "0.500", "KWD0.500")])
def test_amounts_are_typed_as_customers_see_them(client, logged_in, pay, stripe_server, currency, typed, shown):
    payment = pay(1000, currency)
    page = words_of(client.post(form_of(payment), filled(amount=typed, confirm="yes"), follow=True))
    assert f"{shown} given back." in page
    [there] = stripe_server.refunds(payment.stripe_payment_id)
    assert there["amount"] == {"jpy": 300, "kwd": 500}[currency]


def test_what_stripe_refuses_is_shown_escaped(client, logged_in, pay, wire):
    payment = pay()
    wire.fault = (400, {"error": {"type": "invalid_request_error", "message": "<script>alert(1)</script>"}})
    page = client.post(form_of(payment), filled(confirm="yes"), follow=True).content.decode()
    assert "did not go back. &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert balance_of(payment.user_id).balance == 100


def test_a_lost_answer_is_told_as_such(client, logged_in, pay, wire):
    payment = pay()
    wire.fault = "lost answer"
    page = words_of(client.post(form_of(payment), filled(confirm="yes"), follow=True))
    assert "do not ask again" in page
    assert Refund.objects.get().status == RefundStatus.PENDING


def test_without_a_key_it_says_so_before_anything_is_asked(client, logged_in, pay, settings):
    payment = pay()
    settings.STRIPE_SECRET_KEY = ""
    for form in (filled(), filled(confirm="yes")):
        assert "STRIPE_SECRET_KEY" in words_of(client.post(form_of(payment), form))
    assert not Refund.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_needs_its_permission(client, reader, pay, method):
    payment = pay()
    assert form_of(payment) not in client.get(page_of(payment)).content.decode()
    assert getattr(client, method)(form_of(payment), filled(confirm="yes")).status_code == 403
    assert not Refund.objects.exists()


def test_it_asks_anew_who_is_there(client, logged_in, pay, settings):
    payment = pay()
    with clock.at(clock.now() + settings.STEP_UP_AFTER * 2):
        response = client.post(form_of(payment), filled(confirm="yes"))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/account/confirm/")
    assert not Refund.objects.exists()


def test_a_payment_that_is_not_there_is_not_found(client, logged_in):
    assert client.get(reverse("admin:billing_payment_refund", args=[10**12])).status_code == 404


def ask_for_approval(client, payment, **more):
    page = words_of(client.post(form_of(payment), filled(**more)))
    response = client.post(form_of(payment), filled(noticed="yes", confirm="yes", **more), follow=True)
    return page, words_of(response)


def boss():
    member = limited(per_act=500, per_day=1000)
    member.user_permissions.add(permission("jobs", "decide_approval"), permission("jobs", "view_approval"))
    return type(member).objects.get(pk=member.pk)


def test_above_the_limit_a_second_person_allows_it_and_it_is_made_once(client, pay, stripe_server, customer):
    payment, clerk = pay(), limited(per_act=2)
    client.force_login(clerk)
    shown, said = ask_for_approval(client, payment)
    assert "one act is $2.00. A second person has to allow this" in shown
    approval = Approval.objects.get()
    assert f"Request {approval.pk} waits for a second person" in said
    assert (approval.verb, approval.amount, approval.resource_id) == ("billing.refund", 5, str(customer.pk))
    decided = approve(approval_id=approval.pk, actor=boss())
    assert decided.state == ApprovalState.APPROVED
    refund = Refund.objects.get()
    assert (refund.actor_id, refund.amount_minor, refund.status) == (clerk.pk, 500, RefundStatus.PENDING)
    assert stripe_server.refunds(payment.stripe_payment_id) == []
    for _ in range(2):
        tasks.make_refund(refund.pk)
    assert len(stripe_server.refunds(payment.stripe_payment_id)) == 1
    assert balance_of(customer.pk).balance == 50


@pytest.mark.parametrize("currency", ["usd", "eur"])
def test_what_a_form_has_done_it_asks_nobody_to_allow_once_more(client, logged_in, pay, currency, stripe_server):
    payment, form = pay(currency=currency), filled(confirm="yes")
    client.post(form_of(payment), form)
    page = words_of(client.post(form_of(payment), {**form, "noticed": "yes"}))
    assert "was done before" in page
    assert not Approval.objects.exists()
    assert len(stripe_server.refunds(payment.stripe_payment_id)) == 1


def test_what_is_left_by_then_decides_whether_it_can_still_be_allowed(client, pay, ask):
    payment = pay()
    client.force_login(limited(per_act=2))
    ask_for_approval(client, payment, amount="")
    ask(payment, 1)
    decided = approve(approval_id=Approval.objects.get().pk, actor=boss())
    assert (decided.state, Refund.objects.count()) == (ApprovalState.FAILED, 1)
    assert "At most $9.99" in decided.outcome


def test_the_second_person_sees_what_it_would_do(client, pay):
    payment = pay()
    client.force_login(limited(per_act=2))
    ask_for_approval(client, payment)
    client.force_login(boss())
    page = words_of(client.get(reverse("admin:jobs_approval_change", args=[Approval.objects.get().pk])))
    assert "Refund a payment: $5.00" in page
    assert "Left of the payment" in page


def test_without_a_rate_a_second_person_without_a_limit_has_to_allow_it(client, pay):
    payment = pay(currency="eur")
    client.force_login(limited(per_act=500))
    shown, _ = ask_for_approval(client, payment)
    assert "no exchange rate for EUR" in shown
    decided = approve(approval_id=Approval.objects.get().pk, actor=StaffFactory(is_superuser=True))
    assert decided.state == ApprovalState.APPROVED
    assert Refund.objects.get().amount_minor == 500


def test_an_empty_amount_gives_back_what_was_shown_whatever_happens_in_between(
    client, logged_in, pay, ask, stripe_server
):
    payment = pay()
    colleagues = ask(payment, 600, actor=StaffFactory(), key="admin:refund:other")
    form = filled(amount="")
    preview = client.post(form_of(payment), form)
    assert "Goes back $4.00" in words_of(preview)
    assert 'name="amount" value="4.00"' in preview.content.decode()
    # Stripe refuses the colleague's: what is left is more than was shown.
    Refund.objects.filter(pk=colleagues.pk).update(status=RefundStatus.FAILED, next_attempt_at=None)
    client.post(form_of(payment), {**form, "amount": "4.00", "confirm": "yes"})
    assert [each["amount"] for each in stripe_server.refunds(payment.stripe_payment_id)] == [400]


def test_what_keeps_everybody_from_it_is_said_in_place_of_the_form(client, logged_in, pay, settings):
    payment = pay()
    Payment.objects.filter(pk=payment.pk).update(refunded_minor=1000, status="refunded")
    page = client.get(form_of(payment))
    assert "Nothing is left of this payment" in words_of(page)
    assert 'name="amount"' not in page.content.decode()
    settings.STRIPE_SECRET_KEY = ""
    assert "Ask whoever runs this back office" in words_of(client.get(form_of(payment)))


def test_a_request_that_waits_is_told_on_the_payment_the_customer_and_the_next_form(client, pay, customer):
    payment = pay()
    member = limited(Decimal("4.99"))
    member.user_permissions.add(permission("accounts", "view_customer"))
    client.force_login(member)
    client.post(form_of(payment), filled(confirm="yes", noticed="yes"))
    approval = Approval.objects.get()
    assert (approval.resource_type, approval.resource_id) == ("accounts.user", str(customer.pk))
    asked = f"$5.00, request {approval.pk} of {member}"
    assert f"A refund waits for a second person: {asked}" in words_of(client.get(page_of(payment)))
    assert f"Waits for approval already {asked}" in words_of(client.post(form_of(payment), filled()))


def test_the_refund_stands_in_the_audit_log_of_whom_it_is(client, logged_in, pay, customer):
    payment = pay()
    client.post(form_of(payment), filled(confirm="yes"))
    entry = AuditEntry.objects.get(action=Action.PAYMENT_REFUND_ASKED)
    assert (entry.resource_type, entry.resource_id) == ("accounts.user", str(customer.pk))
    assert entry.new_values["payment"] == payment.stripe_payment_id
