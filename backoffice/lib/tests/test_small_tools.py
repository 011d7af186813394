from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from backoffice.lib import clock, money
from backoffice.lib.registry import NavigationItem, Registry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def item(key, order=100):
    return NavigationItem(
        key=key, section="Credits", label=key, url_name="x", icon="x", permission="x.view_x", order=order
    )


def test_the_clock_stands_still_inside_the_block_only():
    with clock.at(NOON):
        assert clock.now() == NOON
        with clock.at(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_the_clock_takes_aware_times_only():
    with pytest.raises(ValueError, match="aware"), clock.at(datetime(2026, 3, 1)):  # noqa: DTZ001
        pass


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (999, "usd", "$9.99"),
        (500, "JPY", "¥500"),
        (1000, "KWD", "KWD1.000"),
        (-250, "EUR", "-€2.50"),
        (1050, "RSD", "RSD10.50"),
        (123456789, "USD", "$1,234,567.89"),
    ],
)
def test_money_is_shown_with_the_decimals_of_its_currency(minor, currency, shown):
    assert money.format_money(minor, currency) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("100.0000", "100"), ("0.0125", "0.0125"), ("1234567.5", "1,234,567.5"), ("-3", "-3"), ("0", "0")],
)
def test_credits_are_shown_without_trailing_zeros(amount, shown):
    assert money.format_credits(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "text"), [("1000.0000", "1000"), ("1E+3", "1000"), ("0.0125", "0.0125"), ("-0.50", "-0.5")]
)
def test_credits_for_programs_are_exact_and_plain(amount, text):
    assert money.plain_credits(Decimal(amount)) == text


def test_a_registry_is_read_in_order_and_then_by_key():
    registry = Registry("test")
    for entry in (item("b"), item("a"), item("z", order=1)):
        registry.register(entry)
    assert [entry.key for entry in registry] == ["z", "a", "b"]


def test_a_key_is_registered_once():
    registry = Registry("test")
    registry.register(item("a"))
    with pytest.raises(ValueError, match="twice"):
        registry.register(item("a"))


def test_the_sidebar_has_fixed_sections():
    with pytest.raises(ValueError, match="no section"):
        NavigationItem(key="a", section="Misc", label="a", url_name="x", icon="x", permission="x")
