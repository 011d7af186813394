from decimal import Decimal

import pytest

from credits.amounts import MAX_AMOUNT, check_amount, parse_amount
from credits.errors import InvalidAmount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100", "100"),
        ("0.25", "0.25"),
        (" 7 ", "7"),
        ("+5", "5"),
        ("0.0001", "0.0001"),
        ("007", "7"),
        ("1.50000", "1.5"),
        ("1000000000", "1000000000"),
    ],
)
def test_plain_amounts_are_read_exactly(text, amount):
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "0", "0.0", "-1", "-0", "9223372036854775808", "1000000000.0001", "NaN", "nan", "sNaN", "Infinity",
        "-inf", "1e5", "1E5", "1_000", "1,000", "1 000", "１００", "٣", "0.00001", "1.23456", "1.", ".5", "0x10", "１",
        "--1", "1\x00", "1\n", "9" * 41, "1;2", "½",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidAmount, match=r"\.$"):
        parse_amount(text)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-3", "1E+9999", "0.00001"])
def test_a_decimal_the_ledger_cannot_carry_is_refused(amount):
    with pytest.raises(InvalidAmount):
        check_amount(Decimal(amount))


def test_the_largest_movement_is_accepted():
    assert check_amount(MAX_AMOUNT) == MAX_AMOUNT
