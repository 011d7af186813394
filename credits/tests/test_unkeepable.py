"""What the tables cannot keep is refused act by act, and never takes the rest of a batch with it."""

from decimal import Decimal

import pytest

from credits import services
from credits.errors import InvalidAmount, InvalidText
from credits.kinds import TransactionKind
from credits.postings import Posting, Rejection
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user_id():
    return CustomerFactory().pk


def gift(user_id, key, **more):
    return Posting(
        user_id=user_id, kind=TransactionKind.GIFT, amount=Decimal(10), idempotency_key=f"test:{key}", **more
    )


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"description": "a\0b"}, InvalidText),
        ({"description": "half a \ud83d"}, InvalidText),
        ({"reference": "\udc00"}, InvalidText),
        ({"metadata": {"model": "a\0b"}}, InvalidText),
        ({"metadata": {"a\0b": 1}}, InvalidText),
        ({"metadata": {"model": ["x", {"y": "\ud83d"}]}}, InvalidText),
        ({"metadata": {"cost": float("nan")}}, InvalidText),
        ({"metadata": {"cost": Decimal("0.1")}}, InvalidText),
        ({"metadata": {"a": 1, 2: "b"}}, InvalidText),
        ({"paid_minor": 100}, InvalidAmount),
        ({"currency": "USD"}, InvalidAmount),
        ({"paid_minor": 100, "currency": "dollars"}, InvalidAmount),
        ({"paid_minor": -1, "currency": "USD"}, InvalidAmount),
        ({"paid_minor": 2**63, "currency": "USD"}, InvalidAmount),
        ({"priority": 2**15}, InvalidAmount),
    ],
)
def test_an_act_that_cannot_be_kept_is_refused_alone(user_id, told, error):
    kept, refused = services.post_batch([gift(user_id, "kept"), gift(user_id, "refused", **told)])
    assert kept.balance_after == 10
    assert isinstance(refused, Rejection)
    assert isinstance(refused.error, error)


@pytest.mark.parametrize(
    "told",
    [
        {"description": "whole 😀 and a \\u0000 in letters", "metadata": {"a": ["😀", "\\u0000", None, 1.5]}},
        {"paid_minor": 2**63 - 1, "currency": "usd", "priority": -(2**15) + 1},
    ],
)
def test_what_can_be_kept_is_kept_as_told(user_id, told):
    assert services.post(gift(user_id, "kept", **told)).balance_after == 10
