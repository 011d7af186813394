"""``users/{external_id}/credits`` and ``/transactions``."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditLot, CreditTransaction
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def product():
    return Program(key())


@pytest.fixture
def ada():
    return CustomerFactory(external_id="u_ada")


def gift(user, amount, name="gift", **more):
    return services.post(
        Posting(
            user_id=user.pk,
            kind=TransactionKind.GIFT,
            amount=Decimal(amount),
            idempotency_key=f"test:{name}",
            **more,
        )
    )


def usage(user, amount, name="usage"):
    return services.charge_credits(user_id=user.pk, amount=Decimal(amount), idempotency_key=f"test:{name}")


def test_a_customer_without_an_account_has_nothing(product, ada):
    assert product.get("users/u_ada/credits").json() == {
        "balance": "0",
        "held": "0",
        "available": "0",
        "debt": "0",
        "monthly_allowance": "0",
        "current_month_consumed": "0",
        "total_consumed": "0",
        "next_reset_at": None,
        "lots": [],
    }
    assert product.get("users/u_ada/transactions").json() == {"transactions": [], "next_cursor": None}


def test_the_balance_and_what_it_is_made_of(product, ada):
    with clock.at(NOW):
        services.set_allowance(user_id=ada.pk, amount=Decimal(50), period_start=NOW - DAY)
        gift(ada, 100)
        usage(ada, "20.5")
        services.place_hold(user_id=ada.pk, amount=Decimal(10), idempotency_key="test:hold")
        told = product.get("users/u_ada/credits").json()
    allowance, given = CreditLot.objects.order_by("pk")
    assert told == {
        "balance": "129.5",
        "held": "10",
        "available": "119.5",
        "debt": "0",
        "monthly_allowance": "50",
        "current_month_consumed": "20.5",
        "total_consumed": "20.5",
        "next_reset_at": "2026-04-09T12:00:00Z",
        "lots": [
            {
                "id": allowance.pk,
                "source": "allowance",
                "transaction": allowance.transaction_id,
                "amount": "50",
                "remaining": "29.5",
                "priority": allowance.priority,
                "expires_at": "2026-04-09T12:00:00Z",
            },
            {
                "id": given.pk,
                "source": "gift",
                "transaction": given.transaction_id,
                "amount": "100",
                "remaining": "100",
                "priority": given.priority,
                "expires_at": None,
            },
        ],
    }


def test_what_has_lapsed_is_left_out_before_it_is_booked(product, ada):
    with clock.at(NOW):
        gift(ada, 100, expires_at=NOW + DAY)
        gift(ada, 5, "other")
    with clock.at(NOW + DAY):
        told = product.get("users/u_ada/credits").json()
    assert (told["balance"], told["available"], len(told["lots"])) == ("5", "5", 1)


def test_a_debt_is_shown(product, ada):
    bought = services.post(
        Posting(user_id=ada.pk, kind=TransactionKind.PURCHASE, amount=Decimal(100), idempotency_key="test:bought")
    )
    usage(ada, 60)
    services.claw_back(
        transaction_id=bought.transaction_id,
        amount=Decimal(100),
        kind=TransactionKind.CHARGEBACK,
        idempotency_key="test:clawback",
    )
    told = product.get("users/u_ada/credits").json()
    assert (told["balance"], told["debt"], told["available"]) == ("-60", "60", "0")


def test_the_consumption_of_a_month_ends_with_it(product, ada):
    with clock.at(NOW):
        gift(ada, 100)
        usage(ada, 10)
        assert product.get("users/u_ada/credits").json()["current_month_consumed"] == "10"
    with clock.at(NOW + 30 * DAY):
        told = product.get("users/u_ada/credits").json()
    assert (told["current_month_consumed"], told["total_consumed"]) == ("0", "10")


def test_the_entries_are_paged_newest_first_whatever_comes_in_between(product, ada):
    gift(ada, 100)
    used = usage(ada, 1, "a")
    services.refund_usage(
        transaction_id=used.transaction_id, amount=None, reason="It failed", idempotency_key="test:refund"
    )
    first = product.get("users/u_ada/transactions?limit=2").json()
    usage(ada, 2, "b")
    second = product.get(f"users/u_ada/transactions?limit=2&cursor={first['next_cursor']}").json()
    assert [row["kind"] for row in first["transactions"] + second["transactions"]] == ["refund", "usage", "gift"]
    assert second["next_cursor"] is None
    entry = CreditTransaction.objects.get(kind="refund")
    assert first["transactions"][0] == {
        "id": entry.pk,
        "seq": 3,
        "kind": "refund",
        "amount": "1",
        "balance_before": "99",
        "balance_after": "100",
        "action_type": "",
        "description": "It failed",
        "reference": "",
        "metadata": {},
        "reverses": used.transaction_id,
        "event_at": entry.event_at.isoformat().replace("+00:00", "Z"),
        "created_at": entry.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert first["transactions"][1]["amount"] == "-1"


def test_a_cursor_leads_through_the_entries_of_its_customer_alone(product, ada):
    bob = CustomerFactory(external_id="u_bob")
    for user in (ada, bob):
        for number in range(2):
            gift(user, 1, f"{user.pk}-{number}")
    cursor = product.get("users/u_ada/transactions?limit=1").json()["next_cursor"]
    assert code_of(product.get(f"users/u_bob/transactions?cursor={cursor}")) == "invalid_cursor"


@pytest.mark.parametrize("path", ["credits", "transactions"])
def test_nobody_has_nothing_to_show(product, path):
    CustomerFactory(external_id="u_staff", is_staff=True)
    for name in ("nobody", "u_staff"):
        response = product.get(f"users/{name}/{path}")
        assert (response.status_code, code_of(response)) == (404, "unknown_user")


@pytest.mark.parametrize(("path", "queries"), [("credits", 6), ("transactions", 3)])
def test_reads_take_a_fixed_number_of_queries(product, ada, path, queries, django_assert_num_queries):
    for number in range(20):
        gift(ada, 1, number)
    product.get(f"users/u_ada/{path}")
    with django_assert_num_queries(queries):
        product.get(f"users/u_ada/{path}")


@pytest.mark.django_db(transaction=True)
def test_a_balance_is_read_at_one_moment(product, ada, monkeypatch):
    gift(ada, 100)
    from credits import selectors  # noqa: PLC0415 (patched below)

    read_account = selectors.balance_of

    def and_then_somebody_spends(user_id):
        account = read_account(user_id)
        spend_elsewhere(ada)
        return account

    monkeypatch.setattr("credits.selectors.balance_of", and_then_somebody_spends)
    told = product.get("users/u_ada/credits").json()
    assert (told["balance"], [lot["remaining"] for lot in told["lots"]]) == ("100", ["100"])


def spend_elsewhere(user):
    from tests.threads import at_once  # noqa: PLC0415

    [result] = at_once([lambda: usage(user, 40)])
    assert result.balance_after == 60
