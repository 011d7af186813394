"""What holds on every account whatever was done to it: said outright, without a second ledger to compare with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.lib import clock
from credits import selectors, services
from credits.tests.model.picture import Picture
from credits.tests.model.real import RealLedger
from credits.tests.model.records import Held, Posted, Refusal

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 30, 9, tzinfo=UTC)
SMALLEST = Decimal("0.0001")
FAR = datetime.max.replace(tzinfo=UTC)
# The same examples in every run, and few enough for a small machine.
bounded = settings(
    derandomize=True,
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_numbers = count(1)

amounts = st.one_of(
    st.integers(1, 60).map(Decimal),
    st.integers(1, 400_000).map(lambda units: Decimal(units).scaleb(-4)),
    st.sampled_from([SMALLEST, Decimal(1_000_000_000)]),
)
expiries = st.sampled_from([None, None, timedelta(hours=1), timedelta(days=3)])
terms = st.fixed_dictionaries({"priority": st.sampled_from([100, 100, 10, 200]), "lapses_after": expiries})
gifts = st.tuples(st.just("gift"), amounts, terms)
purchases = st.tuples(st.just("purchase"), amounts, terms)
usages = st.tuples(st.just("usage"), amounts)
holds = st.tuples(st.just("hold"), amounts)
which = st.integers(0, 5)
closings = st.tuples(st.sampled_from(["capture", "release"]), which)
returns = st.tuples(st.sampled_from(["refund", "part of a refund", "clawback", "reinstatement"]), which)
waits = st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=30), timedelta(days=1), timedelta(days=4)]))
acts = st.one_of(gifts, purchases, purchases, usages, usages, holds, closings, returns, returns, waits)
stories = st.lists(acts, min_size=4, max_size=20).map(lambda told: [("purchase", Decimal(90), {}), *told])
# What a batch begins from: told to each of several customers, so each act costs as many.
grounds = st.lists(acts, min_size=2, max_size=8).map(lambda told: [("purchase", Decimal(90), {}), *told])
movements = st.lists(st.one_of(gifts, purchases, usages, usages), min_size=1, max_size=12)


class Customer:
    """One customer to whom the acts of an example happen."""

    def __init__(self) -> None:
        self.ledger = RealLedger(START)
        self.user_id = self.ledger.new_person()
        self.asked = []

    def tell(self, story) -> "Customer":
        for act in story:
            self.do(*act)
        return self

    def do(self, act, *told):
        if act == "wait":
            self.ledger.now += told[0]
            return None
        return self.ask(*self.request(act, *told))

    def ask(self, verb, told):
        answer = getattr(self.ledger, verb)(**told)
        self.asked.append((verb, told, answer))
        return answer

    def request(self, act, *told):
        """The verb of the ledger and what it is told."""
        key = {"key": f"property-{next(_numbers)}"}
        if act in ("gift", "purchase"):
            return "add", key | {"user_id": self.user_id, "kind": act, "amount": told[0]} | self._terms(act, *told[1:])
        if act == "usage":
            return "spend", key | {"user_id": self.user_id, "kind": "usage", "amount": told[0]}
        if act == "hold":
            return "place_hold", key | {"user_id": self.user_id, "amount": told[0], "lasts": timedelta(days=2)}
        if act in ("capture", "release"):
            return act, key | {"hold": told[0]} | ({"amount": None} if act == "capture" else {})
        return self._return(act, key, told[0])

    def refund(self, seq, amount):
        key = f"property-{next(_numbers)}"
        return self.ask("refund", {"entry": (self.user_id, seq), "amount": amount, "key": key})

    def _terms(self, act, terms=None):
        terms = dict(terms or {})
        if lapses_after := terms.pop("lapses_after", None):
            terms["expires_at"] = self.ledger.now + lapses_after
        return ({"paid_minor": 4999, "currency": "EUR"} if act == "purchase" else {}) | terms

    def _return(self, act, key, place):
        kinds = {"clawback": ["purchase"], "reinstatement": ["reversal", "chargeback"]}.get(act, ["usage"])
        fitting = [entry for entry in self.picture.entries if entry["kind"] in kinds]
        entry = fitting[place % len(fitting)] if fitting else {"seq": 10**6, "amount": Decimal(1)}
        named = key | {"entry": (self.user_id, entry["seq"])}
        if act == "reinstatement":
            return "reinstate", named
        if act == "clawback":
            return "claw_back", named | {"kind": "chargeback", "amount": entry["amount"]}
        part = (-entry["amount"] / 3).quantize(SMALLEST) or None
        return "refund", named | {"amount": None if act == "refund" else part}

    @property
    def picture(self) -> Picture:
        return self.ledger.picture(self.user_id)

    def settle(self) -> None:
        self.ledger.sweep()


def remaining(picture):
    return [lot["remaining"] for lot in picture.lots]


@bounded
@given(stories)
def test_the_figures_of_an_account_add_up_after_every_act(story):
    customer = Customer()
    for act in story:
        customer.do(*act)
        picture = customer.picture
        assert picture.balance == sum(remaining(picture)) - picture.debt
        assert picture.balance == sum(entry["amount"] for entry in picture.entries)
        assert picture.debt == sum(left for _, _, left in picture.debts)
        assert picture.held == sum(hold["amount"] for hold in picture.holds if hold["state"] == "open")
        assert 0 <= picture.held <= picture.lots_total
        assert picture.debt == 0 or picture.lots_total <= picture.held
        assert all(0 <= lot["remaining"] <= lot["amount"] for lot in picture.lots)


@bounded
@given(stories)
def test_only_a_clawback_or_the_capture_of_a_hold_takes_a_balance_below_zero(story):
    picture = Customer().tell(story).picture
    captures = {hold["entry"] for hold in picture.holds}
    taking = [entry for entry in picture.entries if entry["amount"] < 0 and entry["balance_after"] < 0]
    assert {entry["kind"] for entry in taking if entry["seq"] not in captures} <= {"reversal", "chargeback"}


@bounded
@given(stories, amounts)
def test_a_spend_draws_each_lot_to_what_is_held_of_it_before_it_touches_the_next(story, amount):
    customer = Customer().tell(story)
    customer.settle()
    before = customer.picture
    answer = customer.do("usage", amount)
    if isinstance(answer, Refusal):
        assert before.balance - before.held < amount
        return
    order = sorted((n for n, lot in enumerate(before.lots) if lot["remaining"]), key=lambda n: _rank(before.lots[n], n))
    left_to_hold, left_to_draw, expected = before.held, amount, []
    for place in order:
        held = min(left_to_hold, before.lots[place]["remaining"])
        drawn = min(left_to_draw, before.lots[place]["remaining"] - held)
        left_to_hold, left_to_draw = left_to_hold - held, left_to_draw - drawn
        expected += [(place, drawn)] if drawn else []
    assert customer.picture.entries[-1]["draws"] == expected


def _rank(lot, place):
    return lot["priority"], lot["expires_at"] or FAR, bool(lot["paid_minor"]), lot["entry"], place


@bounded
@given(stories)
def test_replays_change_nothing(story):
    customer = Customer().tell(story)
    before = customer.picture
    for verb, told, answer in customer.asked:
        if isinstance(answer, Posted | Held):
            again = getattr(customer.ledger, verb)(**told)
            assert again.replayed
            assert {**vars(again), "replayed": False} == vars(answer)
    assert customer.picture == before


@bounded
@given(grounds, movements, st.integers(1, 5))
def test_a_batch_does_what_its_items_do_one_by_one(ground, items, size):
    one_by_one, at_once, in_parts = customers = [Customer().tell(ground) for _ in range(3)]
    requests = [[customer.request(*item) for item in items] for customer in customers]
    answers = [getattr(one_by_one.ledger, verb)(**told) for verb, told in requests[0]]
    assert at_once.ledger.batch(requests[1]) == answers
    parts = [requests[2][start : start + size] for start in range(0, len(items), size)]
    assert [answer for part in parts for answer in in_parts.ledger.batch(part)] == answers
    assert one_by_one.picture == at_once.picture == in_parts.picture


@bounded
@given(grounds, st.lists(st.tuples(st.integers(0, 2), movements), min_size=1, max_size=6))
def test_a_batch_over_several_customers_is_the_batches_of_each(ground, shares):
    together, apart = ([Customer().tell(ground) for _ in range(3)] for _ in range(2))
    mixed = [together[place].request(*item) for place, items in shares for item in items]
    together[0].ledger.batch(mixed)
    for place, items in shares:
        apart[place].ledger.batch([apart[place].request(*item) for item in items])
    assert [customer.picture for customer in together] == [customer.picture for customer in apart]


@bounded
@given(stories, amounts, st.integers(1, 4))
def test_a_usage_refunded_piece_by_piece_gives_back_exactly_what_it_took(story, amount, pieces):
    customer = Customer().tell(story)
    customer.settle()
    before = customer.picture
    used = customer.do("usage", amount)
    if isinstance(used, Refusal):
        return
    customer.ledger.now += timedelta(days=4)
    for part in [(amount / pieces).quantize(SMALLEST) or None] * (pieces - 1) + [None]:
        customer.refund(used.seq, part)
    after = customer.picture
    assert customer.refund(used.seq, None).code == "refund_too_large"
    assert sum(entry["amount"] for entry in after.entries if entry["reverses"] == used.seq) == amount
    assert after.lifetime_consumed == before.lifetime_consumed


@bounded
@given(amounts, st.integers(0, 10**9), st.lists(amounts, max_size=8))
def test_the_value_of_a_lot_survives_a_refund_in_pieces_to_the_last_minor_unit(amount, paid_minor, parts):
    customer = Customer()
    lot = {"paid_minor": paid_minor, "currency": "JPY", "expires_at": START + timedelta(hours=1)}
    customer.do("purchase", amount, lot)
    used = customer.do("usage", amount)
    customer.do("wait", timedelta(hours=1))
    for part in [*parts, None]:
        customer.refund(used.seq, part)
    _bought, *returned = customer.picture.lots
    assert sum(lot["amount"] for lot in returned) == amount
    assert sum(lot["paid_minor"] for lot in returned) == paid_minor


@bounded
@given(stories)
def test_verify_finds_nothing_wrong_with_what_the_services_wrote(story):
    customer = Customer().tell(story)
    with clock.at(customer.ledger.now):
        services.expire_credits()
        assert list(selectors.verify()) == []
