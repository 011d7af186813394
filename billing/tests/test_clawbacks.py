"""How many credits are taken back, and by which entries: the pure core."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.clawbacks import Clawback, Reinstate, Take, steps, targets
from credits.kinds import CLAWBACKS, TransactionKind

REVERSAL, CHARGEBACK = TransactionKind.REVERSAL, TransactionKind.CHARGEBACK


def wanted(*, credits="100", paid=1000, returned=0, disputed=0):
    found = targets(credits=Decimal(credits), paid_minor=paid, returned_minor=returned, disputed_minor=disputed)
    return str(found[REVERSAL]), str(found[CHARGEBACK])


def clawback(number, kind, amount):
    return Clawback(transaction_id=number, kind=kind, amount=Decimal(amount))


def way(standing, *, reversal="0", chargeback="0"):
    return steps({REVERSAL: Decimal(reversal), CHARGEBACK: Decimal(chargeback)}, standing)


def after(standing, taken):
    """The clawbacks that stand once these steps are done, never more than the purchase at any moment on the way."""
    left = list(standing)
    for step in taken:
        if isinstance(step, Reinstate):
            left.remove(step.clawback)
        else:
            left.append(clawback(100 + len(left), step.kind, step.amount))
        yield left


@pytest.mark.parametrize(
    ("told", "reversal", "chargeback"),
    [
        ({}, "0.0000", "0.0000"),
        ({"returned": 300}, "30.0000", "0.0000"),
        ({"returned": 1000}, "100.0000", "0.0000"),
        ({"returned": 1, "paid": 3}, "33.3333", "0.0000"),
        ({"returned": 2, "paid": 3}, "66.6666", "0.0000"),
        ({"returned": 3, "paid": 3}, "100.0000", "0.0000"),
        ({"returned": 999, "credits": "0.0001"}, "0.0000", "0.0000"),
        ({"returned": 1000, "credits": "0.0001"}, "0.0001", "0.0000"),
        ({"disputed": 1000}, "0.0000", "100.0000"),
        ({"disputed": 400}, "0.0000", "40.0000"),
        ({"returned": 300, "disputed": 1000}, "30.0000", "70.0000"),
        ({"returned": 300, "disputed": 700}, "30.0000", "70.0000"),
        ({"returned": 1000, "disputed": 1000}, "100.0000", "0.0000"),
        (
            {"returned": 10**12 - 1, "paid": 10**12, "credits": "1000000000"},
            "999999999.9990",
            "0.0000",
        ),
    ],
)
def test_what_is_taken_back_goes_by_what_went_back_of_the_money(told, reversal, chargeback):
    assert wanted(**told) == (reversal, chargeback)


def test_nothing_is_done_where_nothing_is_to_do():
    assert way([]) == []
    assert way([clawback(1, REVERSAL, 30), clawback(2, REVERSAL, 30)], reversal="60") == []


def test_what_is_missing_is_taken():
    assert way([clawback(1, REVERSAL, 30)], reversal="60") == [Take(REVERSAL, Decimal(30))]


def test_what_is_too_much_is_given_back_whole_latest_first_and_the_difference_taken_anew():
    first, second, third = standing = [clawback(number, REVERSAL, 30) for number in (1, 2, 3)]
    assert way(standing, reversal="60") == [Reinstate(third)]
    assert way(standing, reversal="50") == [Reinstate(third), Reinstate(second), Take(REVERSAL, Decimal(20))]
    assert way(standing) == [Reinstate(third), Reinstate(second), Reinstate(first)]


def test_all_is_given_back_before_anything_is_taken():
    whole = clawback(1, CHARGEBACK, 100)
    expected = [Reinstate(whole), Take(REVERSAL, Decimal(30)), Take(CHARGEBACK, Decimal(70))]
    assert way([whole], reversal="30", chargeback="70") == expected


def test_each_way_between_two_states_of_a_small_purchase_arrives_and_never_takes_too_much():
    states = [(returned, disputed) for returned, disputed in product(range(4), repeat=2)]
    for (before, taken), (now, contested) in product(states, repeat=2):
        start = targets(credits=Decimal(1), paid_minor=3, returned_minor=before, disputed_minor=taken)
        end = targets(credits=Decimal(1), paid_minor=3, returned_minor=now, disputed_minor=contested)
        standing = [clawback(number, kind, amount) for number, (kind, amount) in enumerate(start.items()) if amount]
        found = standing
        for found in after(standing, steps(end, standing)):
            assert sum(each.amount for each in found) <= 1
        sums = {kind: sum((each.amount for each in found if each.kind == kind), Decimal(0)) for kind in CLAWBACKS}
        assert sums == end


amounts = st.decimals(min_value="0.0001", max_value=10**9, places=4)


@given(credits=amounts, paid=st.integers(1, 10**12), data=st.data())
def test_shares_are_never_more_than_in_proportion_and_in_full_exactly_all(credits, paid, data):
    returned, disputed = (data.draw(st.integers(0, paid)) for _ in range(2))
    found = targets(credits=credits, paid_minor=paid, returned_minor=returned, disputed_minor=disputed)
    assert found[REVERSAL] * paid <= credits * returned
    assert credits * returned < (found[REVERSAL] + Decimal("0.0001")) * paid
    assert found[CHARGEBACK] * paid <= credits * disputed
    assert 0 <= found[CHARGEBACK] <= credits - found[REVERSAL]
    for whole in ({"returned_minor": paid, "disputed_minor": disputed}, {"returned_minor": 0, "disputed_minor": paid}):
        assert sum(targets(credits=credits, paid_minor=paid, **whole).values()) == credits


@given(
    standing=st.lists(st.tuples(st.sampled_from(sorted(CLAWBACKS)), amounts), max_size=6),
    goals=st.tuples(amounts, amounts),
)
def test_any_clawbacks_come_to_any_targets(standing, goals):
    made = [clawback(number, TransactionKind(kind), amount) for number, (kind, amount) in enumerate(standing)]
    end = dict(zip((REVERSAL, CHARGEBACK), goals, strict=True))
    found = [made, *after(made, steps(end, made))][-1]
    assert {kind: sum((each.amount for each in found if each.kind == kind), Decimal(0)) for kind in CLAWBACKS} == end
