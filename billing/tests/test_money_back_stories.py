"""Stories about money that goes back: told in each order, and in each version of Stripe's API, they end the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import factorial
from typing import Any

import pytest
from django.db import transaction

from accounts.models import ActivityEvent, CustomerFigures
from backoffice.lib.periods import Period
from billing.models import Dispute, EventState, Payment, PaymentStatus, Refund, StripeEvent
from billing.selectors import revenue_by_day
from billing.tests.bodies.money_back import dispute, failed, in_version, refund, refunded_charge, reinstated, withdrawn
from billing.tests.orders import Rolled, orders, tell
from billing.tests.stripe_bodies import CREATED, charge, event, payment_intent
from credits.models import CreditTransaction
from credits.selectors import balance_of, clawbacks_of, verify

pytestmark = pytest.mark.django_db

VERSIONS = ["2020-08-27", "2022-11-15", "2024-06-20", "2025-10-29.clover"]


def told(event_type: str, subject: dict, seconds: int, *, version: str = VERSIONS[-1]) -> dict:
    return event(event_type, in_version(version, subject), created=CREATED + seconds, api_version=version)


def paid(version: str = VERSIONS[-1]) -> dict:
    intent = payment_intent(id="pi_1", latest_charge=charged(), metadata={"user_id": "u_ada", "credits": "100"})
    if version < "2022-11-15":
        del intent["latest_charge"]
        intent["charges"] = {"object": "list", "data": [charged()], "has_more": False, "url": "/v1/charges"}
    return event("payment_intent.succeeded", intent, created=CREATED, api_version=version)


def charged(**fields) -> dict:
    return charge(id="ch_1", payment_intent="pi_1", metadata={"user_id": "u_ada", "credits": "100"}, **fields)


def refund_story(version: str = VERSIONS[-1]) -> list[dict]:
    """Of 10 dollars 3 went back, pending at first, and then 7."""
    first, second = refund(id="re_1", amount=300), refund(id="re_2", amount=700, created=CREATED + 90)
    pending = first | {"status": "pending", "balance_transaction": None}
    return [
        paid(version),
        told("refund.created", pending, 60, version=version),
        told("charge.refunded", refunded_charge(300, first), 61, version=version),
        told("charge.refund.updated", first, 62, version=version),
        told("charge.refunded", refunded_charge(1000, first, second), 90, version=version),
    ]


def partial_story(version: str = VERSIONS[-1]) -> list[dict]:
    """30, 30 and 40 per cent; only the charge tells of the last."""
    first, second, third = (
        refund(id=f"re_{n}", amount=amount, created=CREATED + 60 * n) for n, amount in ((1, 300), (2, 300), (3, 400))
    )
    return [
        paid(version),
        told("refund.created", first, 60, version=version),
        told("refund.created", second, 120, version=version),
        told("charge.refunded", refunded_charge(1000, third, second, first), 180, version=version),
    ]


def failing_story(version: str = VERSIONS[-1]) -> list[dict]:
    """30 and 70 per cent, of which the 30 fail, after the charge said that all went back."""
    first, second = refund(id="re_1"), refund(id="re_2", amount=700, created=CREATED + 90)
    return [
        paid(version),
        told("refund.created", first, 60, version=version),
        told("refund.created", second, 90, version=version),
        told("charge.refunded", refunded_charge(1000, first, second), 90, version=version),
        told("charge.refund.updated", failed(first), 500, version=version),
    ]


def won_story(version: str = VERSIONS[-1]) -> list[dict]:
    opened = dispute(id="dp_1")
    taken = withdrawn(opened)
    returned = reinstated(taken)
    return [
        paid(version),
        told("charge.dispute.created", opened, 600, version=version),
        told("charge.dispute.funds_withdrawn", taken, 600, version=version),
        told("charge.dispute.closed", taken | {"status": "won"}, 900, version=version),
        told("charge.dispute.funds_reinstated", returned, 900, version=version),
    ]


def lost_story(version: str = VERSIONS[-1]) -> list[dict]:
    opened = dispute(id="dp_1")
    taken = withdrawn(opened)
    return [
        paid(version),
        told("charge.dispute.created", opened, 600, version=version),
        told("charge.dispute.funds_withdrawn", taken, 600, version=version),
        told("charge.dispute.updated", taken | {"status": "under_review"}, 700, version=version),
        told("charge.dispute.closed", taken | {"status": "lost"}, 900, version=version),
    ]


def both_story(version: str = VERSIONS[-1]) -> list[dict]:
    """A third is refunded, and then the whole is disputed and lost."""
    first = refund(id="re_1")
    taken = withdrawn(dispute(id="dp_1"))
    return [
        paid(version),
        told("charge.refunded", refunded_charge(300, first), 60, version=version),
        told("charge.dispute.created", taken, 600, version=version),
        told("charge.dispute.closed", taken | {"status": "lost"}, 900, version=version),
    ]


def inquiry_story(version: str = VERSIONS[-1]) -> list[dict]:
    """An inquiry becomes a dispute, for a part, which is prevented."""
    asked = dispute(id="dp_1", amount=400, status="warning_needs_response", is_charge_refundable=True)
    taken = withdrawn(asked) | {"status": "needs_response"}
    return [
        paid(version),
        told("charge.dispute.created", asked, 600, version=version),
        told("charge.dispute.funds_withdrawn", taken, 700, version=version),
        told("charge.dispute.closed", taken | {"status": "prevented"}, 900, version=version),
    ]


STORIES: dict[str, tuple[Callable[..., list[dict]], dict[str, Any]]] = {
    "refunded": (refund_story, {"status": PaymentStatus.REFUNDED, "refunded": 1000, "balance": 0}),
    "30 and 30 and 40": (partial_story, {"status": PaymentStatus.REFUNDED, "refunded": 1000, "balance": 0}),
    "one that fails": (failing_story, {"status": PaymentStatus.PARTIALLY_REFUNDED, "refunded": 700, "balance": 30}),
    "dispute won": (won_story, {"status": PaymentStatus.SUCCEEDED, "balance": 100}),
    "dispute lost": (lost_story, {"status": PaymentStatus.DISPUTED, "disputed": 1000, "balance": 0}),
    "refund and dispute": (
        both_story,
        {"status": PaymentStatus.DISPUTED, "refunded": 300, "disputed": 1000, "balance": 0},
    ),
    "inquiry": (inquiry_story, {"status": PaymentStatus.SUCCEEDED, "balance": 100}),
}
everywhere = pytest.mark.parametrize(("story", "end"), STORIES.values(), ids=STORIES.keys())


def rows(model, *left_out: str) -> list[dict]:
    ours = {"id", "payment_id", "transaction_id", "created_at", "updated_at", "fee_due_at", *left_out}
    return [
        {name: value for name, value in row.items() if name not in ours}
        for row in model.objects.order_by("created_at", "pk").values()
    ]


def seen() -> dict[str, Any]:
    """All that must not depend on the order in which things were told."""
    payment = Payment.objects.get()
    standing: dict[str, Any] = {}
    for entry, stands in clawbacks_of(payment.transaction_id):
        standing[entry.kind] = standing.get(entry.kind, 0) - (entry.amount if stands else 0)
    return {
        "payment": rows(Payment),
        "refunds": sorted(rows(Refund), key=lambda row: row["stripe_refund_id"]),
        "disputes": rows(Dispute),
        "taken": {kind: amount for kind, amount in standing.items() if amount},
        "balance": balance_of(payment.user_id).balance,
        "spend": CustomerFigures.objects.get(user=payment.user_id).spend_minor,
        "activity": ActivityEvent.objects.count(),
        "purchases": CreditTransaction.objects.filter(kind="purchase").count(),
        "states": set(StripeEvent.objects.values_list("state", flat=True)),
    }


def ends(seen_at_last: dict[str, Any], *, status, balance, refunded=0, disputed=0) -> bool:
    (payment,) = seen_at_last["payment"]
    assert (payment["status"], payment["refunded_minor"], payment["disputed_minor"]) == (status, refunded, disputed)
    assert (seen_at_last["balance"], seen_at_last["spend"]) == (
        balance,
        payment["amount_minor"] - max(refunded, disputed),
    )
    assert sum(seen_at_last["taken"].values()) == 100 - balance
    assert (seen_at_last["activity"], seen_at_last["purchases"]) == (1, 1)
    assert seen_at_last["states"] == {EventState.PROCESSED}
    return True


@everywhere
def test_a_story_ends_the_same_in_every_order(customer, story, end):
    events = story()
    found = orders(events, seen)
    first = next(found)
    numbers = [1 for other in found if other == first]
    assert len(numbers) + 1 == factorial(len(events))
    assert ends(first, **end)


@everywhere
def test_a_story_means_the_same_in_every_version_and_backwards_and_twice(customer, story, end):
    found = []
    for version in VERSIONS:
        events = story(version)
        repeated = [body | {"id": f"{body['id']}_again"} for body in events]
        try:
            with transaction.atomic():
                for body in [*reversed(events), *repeated]:
                    tell(body)
                # Where old charges list their refunds, more of them are known, and by other words.
                found.append({name: value for name, value in seen().items() if name != "refunds"})
                assert list(verify()) == []
                raise Rolled
        except Rolled:
            pass
    assert ends(found[0], **end)
    assert found == [found[0]] * len(VERSIONS)


@pytest.mark.parametrize("said", [None, "300", 300.0, [300], True, -5, 10**13])
def test_a_charge_that_does_not_say_what_went_back_undoes_nothing(customer, said):
    later = told("charge.refunded", refunded_charge(300) | {"amount_refunded": said}, 70)
    again = told("charge.updated", refunded_charge(300) | {"amount_refunded": said}, 80)
    for each in (paid(), told("charge.refunded", refunded_charge(300), 60), later, again):
        tell(each)
    assert balance_of(customer.pk).balance == 70
    assert Payment.objects.get().refunded_minor == 300
    assert StripeEvent.objects.get(stripe_id=later["id"]).state == EventState.PARKED


def test_what_the_charge_alone_tells_went_back_on_the_day_when_it_first_said_so_in_every_order(customer):
    story = [
        paid(),
        told("charge.refunded", refunded_charge(300), 60),
        *(told("charge.updated", refunded_charge(300), days * 86_400) for days in (40, 80)),
    ]
    paid_at = datetime.fromtimestamp(CREATED, UTC)
    period = Period(paid_at, paid_at + timedelta(days=100))

    def refunds():
        return tuple((each.day, each.revenue.refunds_minor) for each in revenue_by_day(period))

    assert set(orders(story, refunds)) == {((paid_at.date(), 300),)}


def test_what_the_charge_alone_tells_has_its_day_anew_when_its_sum_is_another(customer):
    tell(paid())
    for refunded, days in ((300, 1), (0, 2), (300, 3), (300, 4)):
        tell(told("charge.updated", refunded_charge(refunded), days * 86_400))
    assert Payment.objects.get().charge_refunded_at == datetime.fromtimestamp(CREATED + 3 * 86_400, UTC)
    tell(told("charge.updated", refunded_charge(0), 5 * 86_400))
    assert Payment.objects.get().charge_refunded_at is None
