"""Amounts that are none, at every act that takes one: refused in words, or taken exactly; nothing is rounded."""

from decimal import Decimal

import pytest

from credits import errors
from credits.tests.faults.acts import ACTS, WITH_AMOUNT, all_rows, assert_proven, scene

pytestmark = pytest.mark.django_db

NO_AMOUNTS = [
    "0", "-0", "2E+18", "9223372036854775808", "NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "0.00001", "1E-5",
    "1.00005", "5.0000000000000000000000000001", "1000000000.0001",
]  # fmt: skip


@pytest.mark.parametrize("name", WITH_AMOUNT)
def test_an_amount_that_is_none_is_refused_in_words_and_writes_nothing(name):
    act = ACTS[name](scene())
    before = all_rows()
    # An adjustment may take.
    for amount in [*NO_AMOUNTS, *(["-1"] if name != "adjustment" else [])]:
        with pytest.raises(errors.InvalidAmount) as refused:
            act(amount=Decimal(amount))
        assert str(refused.value)
    assert all_rows() == before


@pytest.mark.parametrize("name", sorted({*WITH_AMOUNT} - {"capture"}))
def test_an_amount_is_taken_exactly_however_it_is_written(name):
    act = ACTS[name](scene())
    for amount in ["1E1", "3.0000", "0.0001", "2.50"]:
        result = act(amount=Decimal(amount), idempotency_key=f"test:{amount}")
        assert abs(result.amount) == Decimal(amount)
    assert_proven()


def test_a_capture_is_taken_exactly():
    assert ACTS["capture"](scene())(amount=Decimal("2.50")).captured == Decimal("2.5")
