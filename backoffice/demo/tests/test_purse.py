from datetime import UTC, datetime, timedelta
from decimal import Decimal

from backoffice.demo.purse import Purse

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def test_spends_first_what_lapses_first():
    purse = Purse()
    purse.add(Decimal(10))
    purse.add(Decimal(10), LATER)
    assert purse.take(Decimal(15), NOW)
    assert purse.has(LATER) == 5


def test_what_has_lapsed_cannot_be_spent():
    purse = Purse()
    purse.add(Decimal(10), LATER)
    assert not purse.take(Decimal(1), LATER)


def test_takes_nothing_if_there_is_not_enough():
    purse = Purse()
    purse.add(Decimal(10))
    assert not purse.take(Decimal(11), NOW)
    assert purse.has(NOW) == 10
