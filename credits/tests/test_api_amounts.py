"""Every endpoint that takes an amount, with every amount that somebody might send."""

import json
from decimal import Decimal

import pytest

from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditTransaction, IdempotencyRecord
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

ENDPOINTS = {
    "credits/charges": {"user": "u_ada"},
    "credits/refunds": {"transaction": None, "reason": "x"},
    "credits/holds": {"user": "u_ada"},
    "credits/holds/HOLD/capture": {},
    "admin/credits/gift": {"user": "u_ada", "reason": "x"},
    "admin/credits/adjust": {"user": "u_ada", "reason": "x"},
    "admin/credits/refund": {"transaction": None, "reason": "x"},
}
# As JSON text, since no encoder writes all of it.
NO_AMOUNTS = [
    '"0"',
    "0",
    '"0.0000"',
    '"-0"',
    '"--1"',
    '"9223372036854775808"',
    "9223372036854775808",
    '"1000000000.0001"',
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '"1e5"',
    "1e5",
    '"1_000"',
    '"1,000"',
    '"0x10"',
    '"\uff11\uff12"',
    '"\u0661"',
    '"0.00001"',
    '"1.23456"',
    "1.5",
    "0.1",
    "true",
    "false",
    "[]",
    "[1]",
    "{}",
    '""',
    '" "',
    '"."',
    '"1."',
    '".5"',
    '"1\\n"',
]
NEGATIVE = ['"-1"', "-1"]
REQUIRED = [path for path in ENDPOINTS if path.endswith(("charges", "holds", "gift", "adjust"))]


@pytest.fixture
def send():
    """Posts ``amount``, a JSON text, to an endpoint with all else in order."""
    user = CustomerFactory(external_id="u_ada")
    gift = Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(1000), idempotency_key="test:gift")
    services.post(gift)
    usage = services.charge_credits(user_id=user.pk, amount=Decimal(100), idempotency_key="test:usage")
    hold = services.place_hold(user_id=user.pk, amount=Decimal(100), idempotency_key="test:hold")
    product = Program(key())
    staff = Program(key("admin", staff=StaffFactory(is_superuser=True)))

    def post(path, amount):
        body = ENDPOINTS[path] | {"idempotency_key": "k"}
        if "transaction" in body:
            body["transaction"] = usage.transaction_id
        text = json.dumps(body)[:-1] + f', "amount": {amount}}}'
        program = staff if path.startswith("admin/") else product
        return program.post(path.replace("HOLD", str(hold.hold_id)), text.encode())

    return post


def refusals():
    for path in ENDPOINTS:
        wrong = NO_AMOUNTS + ([] if path.endswith("adjust") else NEGATIVE) + (["null"] if path in REQUIRED else [])
        for amount in wrong:
            yield pytest.param(path, amount, id=f"{path} {amount!a}")


@pytest.mark.parametrize(("path", "amount"), list(refusals()))
def test_what_is_no_amount_is_refused_in_words(send, path, amount):
    before = CreditTransaction.objects.count(), IdempotencyRecord.objects.count()
    response = send(path, amount)
    assert response.status_code == 422, response.content
    assert code_of(response) == "invalid_amount"
    assert "amount" in response.json()["error"]["message"]
    assert (CreditTransaction.objects.count(), IdempotencyRecord.objects.count()) == before


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_json_is_no_json(send, path, amount):
    response = send(path, amount)
    assert (response.status_code, code_of(response)) == (400, "malformed_json")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("amount", "read"),
    [("5", "5"), ('"5"', "5"), ('"5.0000"', "5"), ('"0.0001"', "0.0001"), ('"007"', "7"), ('" 5 "', "5")],
)
def test_an_amount_is_read_exactly(send, path, amount, read):
    response = send(path, amount)
    assert response.status_code in (200, 201), response.content
    answer = response.json()
    assert answer["captured" if "HOLD" in path else "amount"] == read


def test_an_adjustment_takes_with_a_minus(send):
    answer = send("admin/credits/adjust", '"-2.5"').json()
    assert (answer["amount"], answer["balance_before"], answer["balance_after"]) == ("-2.5", "900", "897.5")


@pytest.mark.parametrize("amount", [*NO_AMOUNTS, *NEGATIVE, "null"], ids=ascii)
def test_a_batch_says_the_same_of_its_item(send, amount):
    text = f'{{"charges": [{{"user": "u_ada", "idempotency_key": "k", "amount": {amount}}}]}}'
    response = Program(key()).post("credits/charges/batch", text.encode())
    [result] = response.json()["results"]
    assert (result["status"], result["error"]["code"]) == ("rejected", "invalid_amount")
