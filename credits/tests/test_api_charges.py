"""``credits/charges``, ``/batch`` and ``/refunds``: what the product takes and gives back."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey
from accounts.services import create_api_key
from audit.models import AuditEntry
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction, IdempotencyRecord
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    return Program(key())


def customer(credits="100", **fields):
    user = CustomerFactory(**({"external_id": "u_ada"} | fields))
    if credits:
        give(user, credits)
    return user


def give(user, credits):
    gift = Posting(
        user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(credits), idempotency_key=f"test:{user.pk}"
    )
    return services.post(gift)


def charge(**more):
    return {"user": "u_ada", "amount": "5", "idempotency_key": "k1"} | more


def test_a_charge_is_booked_with_all_that_was_told(product):
    user = customer()
    metadata = {"generation": "g1", "model": "flux", "input_tokens": 3, "output_tokens": 0, "api_cost_usd": "0.00350"}
    told = charge(amount="5.5", action_type="image", description="An image", reference="gen_1", metadata=metadata)
    response = product.post("credits/charges", told)
    entry = CreditTransaction.objects.get(kind="usage")
    assert response.status_code == 201
    assert response.json() == {
        "id": entry.pk,
        "seq": 2,
        "amount": "5.5",
        "balance_before": "100",
        "balance_after": "94.5",
        "replayed": False,
    }
    assert (entry.account_id, entry.amount, entry.action_type) == (user.pk, Decimal("-5.5"), "image")
    assert (entry.description, entry.reference) == ("An image", "gen_1")
    assert entry.metadata == metadata | {"api_cost_usd": "0.0035"}
    assert IdempotencyRecord.objects.filter(key="api:test:k1").exists()
    assert AuditEntry.objects.filter(action__startswith="credits.").count() == 0


def test_the_same_charge_again_answers_the_first_result_before_any_other_check(product):
    user = customer()
    first = product.post("credits/charges", charge()).json()
    type(user).objects.update(status="banned")
    # The same content however it is written.
    for amount in ("5", "5.0", 5):
        again = product.post("credits/charges", charge(amount=amount, metadata={"model": None}))
        assert (again.status_code, again.json()) == (200, first | {"replayed": True})
    assert CreditTransaction.objects.filter(kind="usage").count() == 1


def test_a_key_that_replaces_another_finds_what_that_one_did(product):
    customer()
    first = product.post("credits/charges", charge()).json()
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert Program(key()).post("credits/charges", charge()).json() == first | {"replayed": True}


def test_programs_of_different_names_share_no_keys(product):
    customer()
    for name, idempotency_key in [
        ("test", "k1"),
        ("other", "k1"),
        ("other:k", "1"),
        ("other", "k:1"),
        ("other%3Ak", "1"),
    ]:
        made = create_api_key(name=name, scopes=["ingest"], staff=None, actor=None)
        response = Program(made.secret).post("credits/charges", charge(idempotency_key=idempotency_key))
        assert response.status_code == 201


@pytest.mark.parametrize(
    "other",
    [{"amount": "6"}, {"user": "u_bob"}, {"reference": "x"}, {"action_type": "x"}, {"metadata": {"model": "x"}}],
    ids=str,
)
def test_a_key_with_other_content_is_a_conflict(product, other):
    customer()
    customer(external_id="u_bob")
    product.post("credits/charges", charge())
    response = product.post("credits/charges", charge(**other))
    assert (response.status_code, code_of(response)) == (409, "idempotency_conflict")
    assert CreditTransaction.objects.filter(kind="usage").count() == 1


def test_a_key_belongs_to_one_endpoint(product):
    customer()
    usage = product.post("credits/charges", charge()).json()["id"]
    body = {"transaction": usage, "reason": "x", "idempotency_key": "k1"}
    assert code_of(product.post("credits/refunds", body)) == "idempotency_conflict"
    assert code_of(product.post("credits/holds", charge())) == "idempotency_conflict"
    # What a batch is asked is the same as what a single call is.
    [result] = product.post("credits/charges/batch", {"charges": [charge()]}).json()["results"]
    assert (result["status"], result["id"]) == ("replayed", usage)


def test_what_is_missing_is_said_exactly_and_the_key_may_be_used_again(product):
    user = customer("4.5")
    response = product.post("credits/charges", charge())
    assert (response.status_code, code_of(response)) == (402, "insufficient_credits")
    assert response.json()["error"]["details"] == {"needed": "5", "available": "4.5"}
    adds = Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(1), idempotency_key="test:more")
    services.post(adds)
    assert product.post("credits/charges", charge()).status_code == 201


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"status": "banned"}, 403, "user_banned"),
        ({"status": "suspended"}, 403, "user_suspended"),
        ({"external_id": "u_other"}, 404, "unknown_user"),
        ({"is_staff": True}, 404, "unknown_user"),
    ],
    ids=str,
)
def test_who_may_not_spend_is_refused(product, fields, status, code):
    customer("", **fields)
    for path in ("credits/charges", "credits/holds"):
        response = product.post(path, charge())
        assert (response.status_code, code_of(response)) == (status, code)
    [result] = product.post("credits/charges/batch", {"charges": [charge()]}).json()["results"]
    assert (result["status"], result["error"]["code"]) == ("rejected", code)


def test_a_demo_customer_is_never_charged(product):
    customer("", demo_mode=True)
    nothing = {
        "id": None,
        "seq": None,
        "amount": "0",
        "balance_before": "0",
        "balance_after": "0",
        "replayed": False,
    }
    response = product.post("credits/charges", charge())
    assert (response.status_code, response.json()) == (200, nothing)
    assert product.post("credits/charges", charge()).json() == nothing | {"replayed": True}
    [result] = product.post("credits/charges/batch", {"charges": [charge(idempotency_key="k2")]}).json()["results"]
    assert result == {"index": 0, "status": "created", "id": None, "balance_after": "0", "error": None}
    assert not CreditTransaction.objects.exists()


BAD_BODIES = [
    {"user": 1},
    {"user": ""},
    {"user": None},
    {"idempotency_key": ""},
    {"idempotency_key": "x" * 129},
    {"idempotency_key": 1},
    {"action_type": "x" * 65},
    {"description": "x" * 501},
    {"reference": "x" * 201},
    {"reference": "a\0b"},
    {"idempotency_key": "a\0b"},
    {"metadata": []},
    {"metadata": {"secret": "x"}},
    {"metadata": {"input_tokens": -1}},
    {"metadata": {"input_tokens": 1.5}},
    {"metadata": {"output_tokens": True}},
    {"metadata": {"output_tokens": 2**63}},
    {"metadata": {"api_cost_usd": 0.1}},
    {"metadata": {"api_cost_usd": "-1"}},
    {"metadata": {"api_cost_usd": "NaN"}},
    {"metadata": {"api_cost_usd": "0.123456789"}},
    {"metadata": {"model": "a\0b"}},
    {"unknown": 1},
]


@pytest.mark.parametrize("wrong", BAD_BODIES, ids=lambda wrong: repr(wrong)[:60])
def test_what_cannot_be_kept_is_refused(product, wrong):
    customer()
    response = product.post("credits/charges", charge(**wrong))
    assert response.status_code == 422
    assert code_of(response)
    assert not CreditTransaction.objects.filter(kind="usage").exists()


def test_a_charge_takes_one_statement_beside_who_asks_and_who_pays(product):
    customer()
    # The first notes when the key was used, and the first of a month begins its period.
    product.post("credits/charges", charge())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert product.post("credits/charges", charge(idempotency_key="k2")).status_code == 201
    # Inside the test's transaction the statement is guarded by a savepoint.
    asked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(asked) == 3, asked


@pytest.mark.django_db(transaction=True)
def test_a_charge_begins_no_transaction(product, django_assert_num_queries):
    customer()
    product.post("credits/charges", charge())
    with django_assert_num_queries(3):
        assert product.post("credits/charges", charge(idempotency_key="k2")).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_twenty_identical_charges_at_once_make_one_entry_and_identical_replies():
    customer()
    secret = key()
    responses = at_once([lambda: Program(secret).post("credits/charges", charge()) for _ in range(20)])
    bodies = [response.json() for response in responses]
    assert sorted(response.status_code for response in responses) == [200] * 19 + [201]
    assert sum(body.pop("replayed") for body in bodies) == 19
    assert all(body == bodies[0] for body in bodies)
    assert CreditTransaction.objects.filter(kind="usage").count() == 1
    assert CreditAccount.objects.get().balance == 95


# Batches


def test_each_charge_of_a_batch_is_judged_in_its_place(product):
    customer("20")
    customer("", external_id="u_banned", status="banned")
    customer("", external_id="u_poor")
    items = [
        charge(idempotency_key="a", amount="8"),
        charge(idempotency_key="a", amount="8"),
        charge(idempotency_key="a", amount="9"),
        charge(idempotency_key="b", user="nobody"),
        charge(idempotency_key="c", user="u_banned"),
        charge(idempotency_key="d", user="u_poor"),
        charge(idempotency_key="e", amount="0"),
        charge(idempotency_key="f", amount=1.5),
        {"user": "u_ada"},
        None,
        True,
        7,
        "x",
        [],
        [[]],
        {},
        charge(idempotency_key="g", amount="12"),
        charge(idempotency_key="h", amount="0.0001"),
    ]
    response = product.post("credits/charges/batch", {"charges": items})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["index"] for result in results] == list(range(len(items)))
    assert [result["error"]["code"] if result["error"] else result["status"] for result in results] == [
        "created",
        "replayed",
        "idempotency_conflict",
        "unknown_user",
        "user_banned",
        "insufficient_credits",
        "invalid_amount",
        "invalid_amount",
        *["validation_error"] * 8,
        "created",
        "insufficient_credits",
    ]
    assert [result["balance_after"] for result in results] == ["12", "12", *[None] * 14, "0", None]
    assert results[0]["id"] == results[1]["id"] == CreditTransaction.objects.filter(kind="usage").earliest("pk").pk
    assert results[-1]["error"]["details"] == {"needed": "0.0001", "available": "0"}
    assert list(selectors.verify()) == []


@pytest.mark.parametrize("body", [[], {}, {"charges": None}, {"charges": {}}, {"charges": [None] * 5001}], ids=str)
def test_a_batch_is_a_list_of_at_most_5000(product, body):
    assert code_of(product.post("credits/charges/batch", body)) == "validation_error"
    assert product.post("credits/charges/batch", {"charges": []}).json() == {"results": []}


def test_a_batch_takes_the_same_number_of_queries_whatever_its_size(product):
    for user in [customer(external_id=f"u{number}") for number in range(30)]:
        assert user
    product.post("credits/charges/batch", {"charges": [charge(user="u0")]})

    def queries_for(number):
        charges = [charge(user=f"u{n % 30}", idempotency_key=f"{number}-{n}") for n in range(number)]
        with CaptureQueriesContext(connection) as queries:
            results = product.post("credits/charges/batch", {"charges": charges}).json()["results"]
        assert {result["status"] for result in results} == {"created"}
        return len(queries)

    assert queries_for(2) == queries_for(60)


# Refunds


def refund(transaction, **more):
    return {"transaction": transaction, "reason": "It failed", "idempotency_key": "r1"} | more


@pytest.fixture
def usage(product):
    customer()
    return product.post("credits/charges", charge(amount="10")).json()["id"]


def test_a_charge_is_refunded_in_parts_and_never_beyond(product, usage):
    first = product.post("credits/refunds", refund(usage, amount="4"))
    assert first.status_code == 201
    assert first.json()["amount"] == "4"
    assert (first.json()["balance_before"], first.json()["balance_after"]) == ("90", "94")
    assert product.post("credits/refunds", refund(usage, amount="4")).json() == first.json() | {"replayed": True}
    too_much = product.post("credits/refunds", refund(usage, amount="7", idempotency_key="r2"))
    assert (too_much.status_code, code_of(too_much)) == (409, "refund_too_large")
    assert too_much.json()["error"]["details"] == {"wanted": "7", "left": "6"}
    assert product.post("credits/refunds", refund(usage, idempotency_key="r2")).json()["amount"] == "6"
    assert code_of(product.post("credits/refunds", refund(usage, idempotency_key="r3"))) == "refund_too_large"
    entry = CreditTransaction.objects.get(pk=first.json()["id"])
    assert (entry.reverses_id, entry.description, entry.actor) == (usage, "It failed", None)
    assert not AuditEntry.objects.filter(action="credits.refund").exists()


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"transaction": 2**63 - 1}, 404, "unknown_transaction"),
        ({"transaction": 2**63}, 422, "validation_error"),
        ({"transaction": 0}, 422, "validation_error"),
        ({"transaction": "1"}, 422, "validation_error"),
        ({"transaction": True}, 422, "validation_error"),
        ({"reason": ""}, 422, "validation_error"),
        ({"reason": "x" * 501}, 422, "validation_error"),
        ({"reason": "a\0b"}, 422, "nul_in_text"),
    ],
    ids=str,
)
def test_a_refund_that_makes_no_sense_is_refused(product, usage, wrong, status, code):
    response = product.post("credits/refunds", refund(usage) | wrong)
    assert (response.status_code, code_of(response)) == (status, code)


def test_only_a_usage_is_refunded(product, usage):
    gift = CreditTransaction.objects.get(kind="gift").pk
    response = product.post("credits/refunds", refund(gift))
    assert (response.status_code, code_of(response)) == (409, "not_reversible")


@pytest.mark.django_db(transaction=True)
def test_two_partial_refunds_at_once_never_exceed_the_charge():
    product = Program(secret := key())
    customer()
    usage = product.post("credits/charges", charge(amount="10")).json()["id"]
    responses = at_once(
        [
            lambda n=n: Program(secret).post("credits/refunds", refund(usage, amount="6", idempotency_key=f"r{n}"))
            for n in range(2)
        ]
    )
    assert sorted(response.status_code for response in responses) == [201, 409]
    assert CreditAccount.objects.get().balance == 96


def test_a_member_of_staff_is_no_payer_even_with_an_id(product):
    StaffFactory(external_id="u_staff")
    assert code_of(product.post("credits/charges", charge(user="u_staff"))) == "unknown_user"
