"""The product's API against its own description: generated requests find no 5xx and nothing undocumented.

An endpoint that is added is covered by itself. Give ids of rows that it can find to ``known``, under the names that
bodies and addresses use for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis import checks

from credits import services as credits
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.api import key
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]


@dataclass
class World:
    """Keys by the security scheme that asks for them, and values of fields that lead somewhere."""

    keys: Mapping[str, str]
    known: dict[str, list[Any]] = field(default_factory=dict)


@pytest.fixture
def _one_transaction():
    # The server ends what is open when a request begins and ends: here that is the test's own transaction.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def world(settings, _one_transaction):
    settings.API_RATE_LIMIT = settings.API_STAFF_RATE_LIMIT = 0
    boss = StaffFactory(is_superuser=True)
    keys = {"IngestKey": key(), "ReadKey": key("read", staff=boss), "AdminKey": key("admin", staff=boss)}
    customer = CustomerFactory(external_id="u_1", email="u1@example.com")
    CustomerFactory(external_id="u_2", email="u2@example.com", status="banned")
    ids = ["u_1", "u_2"]
    known = {
        "external_id": ids,
        "user": ids,
        "email": ["u1@example.com"],
        "event_id": ["e1", "e2"],
        "name": ["users", "audit"],
    }
    return World(keys, known | ledger_of(customer.pk))


def ledger_of(user_id: int) -> dict[str, list[Any]]:
    """A gift, a usage and two holds of a customer, and amounts that fit them."""
    gift = Posting(user_id=user_id, kind=TransactionKind.GIFT, amount=Decimal(1000), idempotency_key="test:gift")
    given = credits.post(gift)
    spent = credits.charge_credits(user_id=user_id, amount=Decimal(10), idempotency_key="test:charge")
    holds = [
        credits.place_hold(user_id=user_id, amount=Decimal(5), idempotency_key=f"test:hold{number}").hold_id
        for number in range(2)
    ]
    return {
        "transaction": [spent.transaction_id, given.transaction_id],
        "hold_id": holds,
        "amount": ["1", "10000"],
        "idempotency_key": ["k1", "k2"],
    }


def with_known(value: Any, known: Mapping[str, list[Any]], chance: Random) -> Any:
    """``value`` with some of the fields that name rows naming rows that there are."""
    if isinstance(value, list):
        return [with_known(item, known, chance) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: chance.choice([inner, chance.choice(known[name])]) if name in known else with_known(inner, known, chance)
        for name, inner in value.items()
    }


@schema.parametrize()
@settings(
    max_examples=60,
    # The same requests each time: a build that fails fails again.
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_as_described(case, world):
    # From the request itself, so that it is the same each time.
    chance = Random(repr((case.path_parameters, case.body)))
    [scheme] = case.operation.definition.raw["security"][0]
    if case.path_parameters:
        case.path_parameters = with_known(case.path_parameters, world.known, chance)
    case.body = with_known(case.body, world.known, chance)
    case.call_and_validate(headers={"Authorization": f"Bearer {world.keys[scheme]}"}, checks=CHECKS)
