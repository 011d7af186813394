"""``credits/holds``: reserved, then captured, released or expired."""

from datetime import timedelta
from decimal import Decimal

import pytest

from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditHold, CreditTransaction
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    return Program(key())


@pytest.fixture
def ada():
    user = CustomerFactory(external_id="u_ada")
    services.post(Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(100), idempotency_key="test:gift"))
    return user


def wanted(**more):
    return {"user": "u_ada", "amount": "30", "idempotency_key": "h1"} | more


def held(product, **more):
    response = product.post("credits/holds", wanted(**more))
    assert response.status_code == 201, response.content
    return response.json()


def available(product):
    return product.get("users/u_ada/credits").json()["available"]


def test_a_hold_reserves_until_it_expires(product, ada):
    hold = held(product, reference="gen_1", expires_in=60)
    row = CreditHold.objects.get()
    assert hold == {
        "id": row.pk,
        "amount": "30",
        "state": "open",
        "expires_at": row.expires_at.isoformat().replace("+00:00", "Z"),
        "captured": "0",
        "transaction": None,
        "replayed": False,
    }
    assert (row.reference, row.account_id) == ("gen_1", ada.pk)
    again = product.post("credits/holds", wanted(reference="gen_1", expires_in=60))
    assert (again.status_code, again.json()) == (200, hold | {"replayed": True})
    assert available(product) == "70"
    assert code_of(product.post("credits/charges", wanted(amount="71", idempotency_key="c"))) == "insufficient_credits"
    with clock.at(row.expires_at):
        # Whether or not the sweep has run.
        assert product.get(f"credits/holds/{row.pk}").json()["state"] == "expired"
        assert available(product) == "100"
        response = product.post(f"credits/holds/{row.pk}/capture", {"idempotency_key": "x"})
    assert (response.status_code, code_of(response)) == (409, "hold_closed")
    assert response.json()["error"]["details"] == {"state": "expired"}


def test_a_hold_lasts_24_hours_unless_told(product, ada):
    held(product)
    row = CreditHold.objects.get()
    assert timedelta(hours=23, minutes=59) < row.expires_at - row.created_at <= timedelta(hours=24)


@pytest.mark.parametrize("seconds", [0, -1, 30 * 86400 + 1, 1.5, "60", True, 2**63])
def test_a_hold_lasts_for_whole_seconds_up_to_30_days(product, ada, seconds):
    response = product.post("credits/holds", wanted(expires_in=seconds))
    assert (response.status_code, code_of(response)) == (422, "validation_error")


def test_a_part_is_captured_once_and_the_rest_is_released(product, ada):
    hold = held(product)
    told = {"amount": "20", "idempotency_key": "c1", "action_type": "video", "metadata": {"model": "veo"}}
    address = f"credits/holds/{hold['id']}/capture"
    captured = product.post(address, told)
    entry = CreditTransaction.objects.get(kind="usage")
    assert captured.status_code == 200
    assert captured.json() == hold | {"state": "captured", "captured": "20", "transaction": entry.pk}
    assert (entry.amount, entry.action_type, entry.metadata) == (Decimal(-20), "video", {"model": "veo"})
    assert product.post(address, told).json() == captured.json() | {"replayed": True}
    assert code_of(product.post(address, told | {"amount": "21"})) == "idempotency_conflict"
    assert code_of(product.post(address, told | {"idempotency_key": "c2"})) == "hold_closed"
    assert available(product) == "80"
    shown = product.get(f"credits/holds/{hold['id']}").json()
    assert (shown["state"], shown["captured"], shown["transaction"]) == ("captured", "20", entry.pk)
    refund = {"transaction": entry.pk, "reason": "x", "idempotency_key": "r1"}
    assert product.post("credits/refunds", refund).json()["amount"] == "20"


def test_all_of_a_hold_is_captured_unless_told_and_never_more(product, ada):
    address = f"credits/holds/{held(product)['id']}/capture"
    too_much = product.post(address, {"amount": "31", "idempotency_key": "c1"})
    assert (too_much.status_code, code_of(too_much)) == (409, "capture_too_large")
    assert too_much.json()["error"]["details"] == {"wanted": "31", "held": "30"}
    assert product.post(address, {"amount": None, "idempotency_key": "c1"}).json()["captured"] == "30"


def test_a_hold_is_released_whole(product, ada):
    address = f"credits/holds/{held(product)['id']}/release"
    assert product.post(address, {"amount": "1", "idempotency_key": "x"}).status_code == 422
    released = product.post(address, {"idempotency_key": "x"})
    assert (released.status_code, released.json()["state"]) == (200, "released")
    assert product.post(address, {"idempotency_key": "x"}).json() == released.json() | {"replayed": True}
    assert code_of(product.post(address, {"idempotency_key": "y"})) == "hold_closed"
    assert available(product) == "100"
    assert not CreditTransaction.objects.filter(kind="usage").exists()


@pytest.mark.parametrize("act", ["", "/capture", "/release"])
@pytest.mark.parametrize(("number", "status"), [(2**63 - 1, 404), (2**63, 422), (0, 422), ("x", 422)])
def test_a_hold_that_is_not_there(product, act, number, status):
    path = f"credits/holds/{number}{act}"
    response = product.post(path, {"idempotency_key": "x"}) if act else product.get(path)
    assert response.status_code == status
    assert code_of(response) == ("unknown_hold" if status == 404 else "validation_error")


def test_the_hold_of_a_demo_customer_reserves_and_spends_nothing(product):
    CustomerFactory(external_id="u_ada", demo_mode=True)
    hold = held(product)
    assert hold["amount"] == "0"
    captured = product.post(f"credits/holds/{hold['id']}/capture", {"amount": "30", "idempotency_key": "c"}).json()
    assert (captured["state"], captured["captured"], captured["transaction"]) == ("captured", "0", None)


@pytest.mark.django_db(transaction=True)
def test_capture_and_release_at_once_end_in_one_of_them(ada):
    secret = key()
    address = f"credits/holds/{held(Program(secret))['id']}"
    responses = at_once(
        [
            lambda act=act: Program(secret).post(f"{address}/{act}", {"idempotency_key": act})
            for act in ("capture", "release")
        ]
    )
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert available(Program(secret)) == ("70" if responses[0].status_code == 200 else "100")
