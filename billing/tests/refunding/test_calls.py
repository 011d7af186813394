"""Stripe is asked for a refund once; whatever becomes of the call, the row ends as Stripe has it."""

from datetime import timedelta

import pytest

from backoffice.lib import clock
from billing import tasks
from billing.models import Refund, RefundStatus
from billing.services import refund_calls
from billing.services.refund_calls import claim_due_refunds, make_refund, resolve_refund
from billing.tests.refunding.conftest import state_of
from credits.errors import CreditError

pytestmark = pytest.mark.django_db

PENDING, FAILED, SUCCEEDED = RefundStatus.PENDING, RefundStatus.FAILED, RefundStatus.SUCCEEDED


def refused(message, status=400, kind="invalid_request_error", **more):
    return status, {"error": {"type": kind, "message": message, **more}}


def sweep(after):
    """What the sweep does so long from now; how many refunds it took up."""
    with clock.at(clock.now() + after):
        due = claim_due_refunds(limit=10)
        for refund_id in due:
            resolve_refund(refund_id=refund_id)
    return len(due)


def test_stripe_gives_the_money_back_and_the_row_knows_its_id(pay, ask, stripe_server):
    payment = pay()
    refund = make_refund(refund_id=ask(payment, 300).pk)
    [there] = stripe_server.refunds(payment.stripe_payment_id)
    assert (there["amount"], there["metadata"]) == (300, {"backoffice_refund": str(refund.pk)})
    assert (refund.stripe_refund_id, refund.status, refund.next_attempt_at) == (there["id"], SUCCEEDED, None)
    payment.refresh_from_db()
    assert (payment.refunded_minor, payment.status) == (300, "partially_refunded")


@pytest.mark.parametrize(("currency", "paid", "back", "theirs"), [("jpy", 500, 200, 200), ("kwd", 1000, 500, 500)])
def test_amounts_are_told_in_stripes_units(pay, ask, stripe_server, currency, paid, back, theirs):
    payment = pay(paid, currency)
    make_refund(refund_id=ask(payment, back).pk)
    assert [each["amount"] for each in stripe_server.refunds(payment.stripe_payment_id)] == [theirs]


def test_stripe_is_given_the_rows_own_key(pay, ask, monkeypatch):
    asked = []
    monkeypatch.setattr(
        refund_calls.stripe_api, "create_refund", lambda **given: asked.append(given) or {"id": "re_1", "amount": 1000}
    )
    refund = ask(pay())
    monkeypatch.setattr(refund_calls, "_book", lambda refund, made: None)
    make_refund(refund_id=refund.pk)
    assert asked[0]["idempotency_key"] == refund.idempotency_key


def test_it_is_asked_for_once_however_often_it_is_to_be_made(pay, ask, wire):
    refund = ask(pay(), 300)
    for _ in range(3):
        make_refund(refund_id=refund.pk)
    tasks.make_refund(refund.pk)
    tasks.resolve_refund(refund.pk)
    assert wire.made() == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429])
def test_what_stripe_refuses_has_failed_with_its_words_and_is_free_again(pay, ask, wire, status):
    payment = pay()
    refund = ask(payment)
    wire.fault = refused("Charge ch_1 has been charged back; cannot issue a refund.", status)
    failed = make_refund(refund_id=refund.pk)
    assert (failed.status, failed.failure) == (FAILED, "Charge ch_1 has been charged back; cannot issue a refund.")
    assert (failed.failed_at is not None, failed.next_attempt_at) == (True, None)
    assert wire.made() == 1
    assert ask(payment, key="admin:refund:2").amount_minor == 1000


def test_a_long_and_hostile_failure_is_kept_as_far_as_it_fits(pay, ask, wire):
    refund = ask(pay())
    wire.fault = refused("<script>alert(1)</script>\x00" + "x" * 2000)
    failed = make_refund(refund_id=refund.pk)
    assert failed.failure.startswith("<script>alert(1)</script>x")
    assert len(failed.failure) == 500


@pytest.mark.parametrize(
    "fault",
    [
        "lost call",
        "lost answer",
        refused("Try again later", 500, "api_error"),
        refused("Still at it", 409),
        refused("Other parameters", 400, "idempotency_error"),
    ],
)
def test_without_a_clear_answer_it_stays_pending_and_is_not_asked_for_again(pay, ask, wire, fault):
    payment = pay()
    refund = ask(payment, 600)
    wire.fault = fault
    make_refund(refund_id=refund.pk)
    assert state_of(refund) == (PENDING, "")
    assert wire.made() == 1
    assert [sweep(timedelta(minutes=10)), wire.made()] == [1, 1]
    with pytest.raises(refund_calls.stripe_api.BillingError, match=r"At most \$4.00"):
        ask(payment, 401, key="admin:refund:2")


def test_a_lost_answer_is_found_in_stripes_list(pay, ask, wire, stripe_server):
    payment = pay()
    refund = ask(payment, 300)
    wire.fault = "lost answer"
    make_refund(refund_id=refund.pk)
    wire.fault = ""
    assert sweep(timedelta(minutes=1)) == 0
    assert sweep(timedelta(minutes=2)) == 1
    assert state_of(refund) == (SUCCEEDED, "")
    assert wire.made() == len(stripe_server.refunds(payment.stripe_payment_id)) == 1
    payment.refresh_from_db()
    assert payment.refunded_minor == 300


def test_another_refund_of_the_same_amount_is_not_taken_for_ours(pay, ask, wire, stripe_server):
    payment = pay()
    stripe_server.call("POST", "refunds", {"payment_intent": payment.stripe_payment_id, "amount": 300})
    refund = ask(payment, 300)
    wire.fault = "lost call"
    make_refund(refund_id=refund.pk)
    wire.fault = ""
    sweep(timedelta(minutes=2))
    assert state_of(refund) == (PENDING, "")


def test_a_lost_call_has_failed_after_three_looks_over_more_than_an_hour(pay, ask, wire):
    payment = pay()
    refund = ask(payment)
    wire.fault = "lost call"
    make_refund(refund_id=refund.pk)
    wire.fault = ""
    looks = [(minutes, sweep(timedelta(minutes=minutes))) for minutes in (2, 17, 76)]
    assert looks == [(2, 1), (17, 1), (76, 0)]
    assert state_of(refund)[0] == PENDING
    assert sweep(timedelta(minutes=78)) == 1
    assert state_of(refund) == (FAILED, refund_calls.NEVER_MADE)
    assert wire.made() == 1
    assert ask(payment, key="admin:refund:2").amount_minor == 1000


def test_looks_that_stripe_does_not_answer_are_none(pay, ask, wire):
    refund = ask(pay())
    wire.fault = "lost call"
    make_refund(refund_id=refund.pk)
    for hours in range(1, 8):
        assert sweep(timedelta(hours=hours)) == 1
    assert state_of(refund) == (PENDING, "")
    assert Refund.objects.get().attempts == 1


def test_who_was_stopped_before_the_call_is_followed_by_the_sweep(pay, ask, wire, stripe_server):
    payment = pay()
    refund = ask(payment, 300)
    assert sweep(timedelta(0)) == 0
    assert sweep(timedelta(seconds=10)) == 1
    assert state_of(refund) == (SUCCEEDED, "")
    assert wire.made() == len(stripe_server.refunds(payment.stripe_payment_id)) == 1


def test_who_was_stopped_between_the_call_and_its_answer_is_followed_by_the_sweep(pay, ask, wire, monkeypatch):
    refund = ask(pay(), 300)

    class Killed(BaseException):
        pass

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as death, pytest.raises(Killed):
        death.setattr(refund_calls, "_book", killed)
        make_refund(refund_id=refund.pk)
    assert state_of(refund) == (PENDING, "")
    assert sweep(timedelta(minutes=2)) == 1
    assert state_of(refund) == (SUCCEEDED, "")
    assert wire.made() == 1


def test_what_stripe_made_and_the_ledger_refuses_is_tried_again(pay, ask, wire, monkeypatch):
    refund = ask(pay(), 300)

    def refuse(**_):
        raise CreditError("the account is closed")

    with monkeypatch.context() as closed:
        closed.setattr(refund_calls, "book_refund", refuse)
        make_refund(refund_id=refund.pk)
    assert state_of(refund) == (PENDING, "Stripe made it: the account is closed")
    assert sweep(timedelta(minutes=11)) == 1
    assert state_of(refund) == (SUCCEEDED, "")
    assert wire.made() == 1


def test_without_a_key_what_is_under_way_waits(pay, ask, settings):
    refund = ask(pay())
    settings.STRIPE_SECRET_KEY = ""
    assert sweep(timedelta(minutes=1)) == 1
    assert state_of(refund) == (PENDING, "")
    assert Refund.objects.get().next_attempt_at > clock.now() + timedelta(minutes=5)


def test_the_sweep_hands_out_what_is_due_once(pay, ask):
    ask(pay())
    with clock.at(clock.now() + timedelta(minutes=1)):
        assert [len(claim_due_refunds(limit=10)), len(claim_due_refunds(limit=10))] == [1, 0]
