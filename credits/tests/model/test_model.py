"""Short stories reckoned by hand. The model and the services both tell them as they are written here."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from credits.tests.model.books import Person
from credits.tests.model.ledger import Ledger
from credits.tests.model.picture import of_model
from credits.tests.model.real import RealLedger
from credits.tests.model.records import Refusal

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRACE = timedelta(days=30)


class ModelLedger(Ledger):
    """The model with the two ways in that the services' side has of its own."""

    def new_person(self, *, is_demo=False):
        user_id = len(self.people) + 1
        self.people[user_id] = Person(is_demo=is_demo)
        return user_id

    def picture(self, user_id):
        return of_model(self, user_id)


class Story:
    """One customer's story: short words for the acts, each under a key of its own unless told."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.user = ledger.new_person()
        self._numbers = count(1)

    def _key(self, key):
        return key or f"story-{next(self._numbers)}"

    def add(self, kind, amount, key=None, **terms):
        return self.ledger.add(user_id=self.user, kind=kind, amount=Decimal(amount), key=self._key(key), **terms)

    def gift(self, amount, key=None, **terms):
        return self.add("gift", amount, key, **terms)

    def buy(self, amount, paid_minor, **terms):
        return self.add("purchase", amount, paid_minor=paid_minor, currency="EUR", **terms).seq

    def use(self, amount, key=None):
        return self.ledger.spend(user_id=self.user, kind="usage", amount=Decimal(amount), key=self._key(key))

    def hold(self, amount, **terms):
        return self.ledger.place_hold(user_id=self.user, amount=Decimal(amount), key=self._key(None), **terms)

    def capture(self, hold, amount=None):
        return self.ledger.capture(hold=hold.hold, amount=amount and Decimal(amount), key=self._key(None))

    def release(self, hold):
        return self.ledger.release(hold=hold.hold, key=self._key(None))

    def refund(self, seq, amount=None, key=None):
        return self.ledger.refund(entry=(self.user, seq), amount=amount and Decimal(amount), key=self._key(key))

    def claw_back(self, seq, amount, kind="chargeback"):
        return self.ledger.claw_back(entry=(self.user, seq), kind=kind, amount=Decimal(amount), key=self._key(None))

    def reinstate(self, seq):
        return self.ledger.reinstate(entry=(self.user, seq), key=self._key(None))

    def after(self, duration):
        self.ledger.now += duration

    @property
    def now(self):
        return self.ledger.now

    @property
    def picture(self):
        return self.ledger.picture(self.user)

    @property
    def remaining(self):
        return [lot["remaining"] for lot in self.picture.lots]

    @property
    def entries(self):
        return [(entry["kind"], entry["amount"]) for entry in self.picture.entries]

    def draws(self, seq):
        return self.picture.entries[seq - 1]["draws"]

    @property
    def figures(self):
        """Balance, held, debt."""
        return self.picture.balance, self.picture.held, self.picture.debt


@pytest.fixture(params=["model", "services"])
def story(request):
    if request.param == "model":
        return Story(ModelLedger(START))
    request.getfixturevalue("db")
    return Story(RealLedger(START))


def test_credits_are_drawn_by_priority_then_expiry_then_free_before_paid_then_age(story):
    story.buy(1, 99)  # lot 0: last, it was paid
    story.gift(1)  # lot 1: third, free
    story.gift(1, expires_at=story.now + HOUR)  # lot 2: second, it lapses
    story.gift(1, priority=7)  # lot 3: first
    story.gift(1)  # lot 4: fourth, younger than lot 1
    spent = story.use(5)
    assert story.draws(spent.seq) == [(3, 1), (2, 1), (1, 1), (4, 1), (0, 1)]


def test_a_lot_that_nothing_was_paid_for_is_free_even_in_a_currency(story):
    story.gift(1)
    story.buy(1, 99)
    story.buy(1, 0)
    assert story.draws(story.use(3).seq) == [(0, 1), (2, 1), (1, 1)]


def test_a_spend_needs_what_is_not_held(story):
    story.gift(10)
    story.hold(4)
    assert story.use("6.0001") == Refusal("insufficient_credits", 6)
    assert story.use(6).balance_after == 4
    assert story.figures == (4, 4, 0)


def test_a_spend_leaves_the_first_credits_to_the_holds(story):
    story.gift(10, expires_at=story.now + HOUR)
    story.gift(10)
    story.hold(4)
    assert story.draws(story.use(8).seq) == [(0, 6), (1, 2)]


def test_held_credits_outlive_their_lot_and_a_capture_draws_them(story):
    story.gift(10, expires_at=story.now + HOUR)
    story.gift(10)
    hold = story.hold(4)
    story.after(2 * HOUR)
    assert story.capture(hold, 3).captured == 3
    assert story.entries == [("gift", 10), ("gift", 10), ("expiry", -6), ("usage", -3)]
    assert story.draws(4) == [(0, 3)]
    story.ledger.sweep()
    assert story.entries[4:] == [("expiry", -1)]
    assert story.figures == (10, 0, 0)


def test_a_capture_draws_the_first_credits_whichever_hold_it_is_of(story):
    story.gift(3, priority=1)
    story.gift(10)
    story.hold(5)
    second = story.hold(4)
    captured = story.capture(second)
    assert story.draws(captured.seq) == [(0, 3), (1, 1)]
    assert story.figures == (9, 5, 0)


def test_credits_that_come_in_earlier_in_the_order_take_over_the_hold(story):
    story.gift(5, expires_at=story.now + HOUR)
    story.hold(5)
    story.after(2 * HOUR)
    story.gift(5, priority=1)
    assert story.remaining == [5, 5]
    assert story.use(1) == Refusal("insufficient_credits", 0)
    assert story.entries == [("gift", 5), ("gift", 5), ("expiry", -5)]
    assert story.figures == (5, 5, 0)


def test_a_hold_ends_by_itself(story):
    story.gift(10)
    hold = story.hold(4)
    assert hold.expires_at == story.now + timedelta(hours=24)
    story.after(timedelta(hours=24))
    assert story.use(10).balance_after == 0
    assert story.capture(hold) == Refusal("hold_closed", "expired")


def test_a_hold_is_closed_once_and_its_rest_is_free(story):
    story.gift(10)
    hold = story.hold(10)
    assert story.capture(hold, 11) == Refusal("capture_too_large", 10)
    assert story.capture(hold, 4).state == "captured"
    assert story.release(hold) == Refusal("hold_closed", "captured")
    assert story.figures == (6, 0, 0)


def test_lapsed_lots_are_booked_one_by_one_in_draw_order(story):
    story.gift(2, expires_at=story.now + 2 * HOUR)
    story.gift(3, expires_at=story.now + HOUR)
    story.gift(4)
    story.after(2 * HOUR)
    story.ledger.sweep()
    assert story.entries[3:] == [("expiry", -3), ("expiry", -2)]


def test_what_the_time_has_done_stands_even_if_the_act_is_refused(story):
    story.gift(2, expires_at=story.now + HOUR)
    story.after(HOUR)
    assert story.use(1) == Refusal("insufficient_credits", 0)
    assert story.entries == [("gift", 2), ("expiry", -2)]


def test_a_chargeback_of_spent_credits_leaves_a_debt_that_later_credits_pay(story):
    bought = story.buy(100, 999)
    used = story.use(70)
    assert story.claw_back(bought, 100).balance_after == -70
    assert story.figures == (-70, 0, 70)
    story.gift(50)
    assert story.figures == (-20, 0, 20)
    assert story.draws(3) == [(0, 30), (1, 50)]
    story.refund(used.seq, 30)
    assert story.figures == (10, 0, 0)
    assert story.draws(3) == [(0, 30), (1, 50), (0, 20)]
    assert story.remaining == [10, 0]


def test_a_clawback_takes_the_credits_of_its_purchase_first(story):
    story.gift(5, priority=1)
    bought = story.buy(10, 999)
    story.use(7)
    assert story.draws(story.claw_back(bought, 10).seq) == [(1, 8)]
    assert story.figures == (-2, 0, 2)


def test_a_clawback_leaves_what_is_held_and_a_release_pays(story):
    bought = story.buy(100, 999)
    hold = story.hold(40)
    story.claw_back(bought, 100)
    assert story.figures == (0, 40, 40)
    assert story.use(1) == Refusal("insufficient_credits", 0)
    story.release(hold)
    assert story.figures == (0, 0, 0)


def test_a_capture_is_served_before_the_debt(story):
    bought = story.buy(100, 999)
    hold = story.hold(40)
    story.claw_back(bought, 100)
    story.capture(hold, 30)
    assert story.figures == (-30, 0, 30)
    assert story.draws(2) == [(0, 60), (0, 10)]


def test_the_oldest_debt_is_paid_first(story):
    one, two = story.buy(10, 99), story.buy(10, 99)
    story.use(20)
    story.claw_back(two, 10)
    story.claw_back(one, 10)
    story.gift(12)
    assert story.picture.debts == [(4, 10, 0), (5, 10, 8)]


def test_a_hold_that_ends_pays_debt_before_its_credits_lapse(story):
    bought = story.buy(10, 99, expires_at=story.now + HOUR)
    story.hold(10, lasts=2 * HOUR)
    story.claw_back(bought, 4)
    story.after(2 * HOUR)
    story.ledger.sweep()
    assert story.entries[1:] == [("chargeback", -4), ("expiry", -6)]
    assert story.figures == (0, 0, 0)


def test_clawbacks_of_a_purchase_never_exceed_it_unless_one_was_given_back(story):
    bought = story.buy(10, 99)
    first = story.claw_back(bought, 6)
    assert story.claw_back(bought, 5) == Refusal("clawback_too_large", 4)
    story.reinstate(first.seq)
    assert story.claw_back(bought, 10).balance_after == 0


def test_refunds_give_the_draws_back_from_the_last_to_the_first(story):
    story.gift(3, priority=1)
    story.gift(5)
    used = story.use(8)
    assert story.draws(story.refund(used.seq, 2).seq) == [(1, -2)]
    assert story.draws(story.refund(used.seq, 4).seq) == [(1, -3), (0, -1)]
    assert story.refund(used.seq, "2.0001") == Refusal("refund_too_large", 2)
    assert story.draws(story.refund(used.seq).seq) == [(0, -2)]
    assert story.refund(used.seq) == Refusal("refund_too_large", 0)
    assert story.picture.lifetime_consumed == 0


def test_a_refund_to_a_lapsed_lot_opens_one_that_lives_a_while(story):
    story.buy(10, 999, expires_at=story.now + HOUR, priority=50)
    used = story.use(10)
    story.after(HOUR)
    for amount in ("3.3333", "3.3333", None):
        story.refund(used.seq, amount)
    first, *new = story.picture.lots
    assert first["remaining"] == 0
    assert [(lot["amount"], lot["paid_minor"]) for lot in new] == [
        (Decimal("3.3333"), 332),
        (Decimal("3.3333"), 333),
        (Decimal("3.3334"), 334),
    ]
    assert {(lot["expires_at"], lot["priority"], lot["parent"], lot["currency"]) for lot in new} == {
        (story.now + GRACE, 50, 0, "EUR")
    }


def test_a_refund_reaches_back_to_lots_that_lapsed_and_lots_that_did_not(story):
    story.gift(3, expires_at=story.now + HOUR)
    story.gift(5)
    used = story.use(8)
    story.after(HOUR)
    refund = story.refund(used.seq)
    assert story.draws(refund.seq) == [(1, -5)]
    assert story.remaining == [0, 5, 3]
    assert refund.balance_after == 8


def test_a_reinstatement_pays_its_own_debt_and_gives_back_the_rest_with_its_value(story):
    older = story.buy(4, 400, priority=1)
    bought = story.buy(10, 999)
    story.use(10)
    story.claw_back(older, 4)  # takes the 4 credits that are left of the second purchase
    story.gift(1)
    chargeback = story.claw_back(bought, 10)  # takes the gift; a debt of 9
    story.reinstate(chargeback.seq)
    assert story.figures == (1, 0, 0)
    assert [(lot["remaining"], lot["paid_minor"], lot["parent"]) for lot in story.picture.lots[3:]] == [
        (0, None, 1),
        (1, None, 2),
    ]


def test_a_reinstatement_opens_a_lot_for_each_draw_from_the_last_to_the_first(story):
    lapses = story.now + HOUR
    bought = story.buy(10, 999, priority=50, expires_at=lapses)
    story.gift(5)
    used = story.use(4)
    chargeback = story.claw_back(bought, 10)
    assert story.draws(chargeback.seq) == [(0, 6), (1, 4)]
    story.reinstate(chargeback.seq)
    new = [(lot["remaining"], lot["paid_minor"], lot["expires_at"], lot["priority"]) for lot in story.picture.lots[2:]]
    assert new == [(4, None, None, 100), (6, 599, lapses, 50)]
    assert [lot["parent"] for lot in story.picture.lots[2:]] == [1, 0]
    assert story.reinstate(chargeback.seq).code == "already_reinstated"
    assert story.refund(used.seq).balance_after == 15


def test_a_reinstated_lot_that_lapsed_meanwhile_lives_a_while(story):
    bought = story.buy(10, 999, expires_at=story.now + HOUR)
    chargeback = story.claw_back(bought, 10)
    story.after(HOUR)
    story.reinstate(chargeback.seq)
    assert story.picture.lots[1]["expires_at"] == story.now + GRACE


def test_credits_keep_the_lot_they_first_came_in_by_as_parent(story):
    bought = story.buy(10, 999, expires_at=story.now + HOUR)
    for _ in range(2):
        used = story.use(10)
        story.after(2 * GRACE)
        story.refund(used.seq)
        # The lot of the first refund lapses too before the second.
    story.gift(5, priority=1)
    assert [lot["parent"] for lot in story.picture.lots] == [None, 0, 0, None]
    assert story.draws(story.claw_back(bought, 10).seq) == [(2, 10)]


def test_acts_name_an_entry_that_they_apply_to(story):
    gift = story.gift(10).seq
    used = story.use(3).seq
    assert [answer.code for answer in (story.refund(gift), story.claw_back(used, 1), story.reinstate(used))] == [
        "not_reversible"
    ] * 3
    assert story.refund(99) == Refusal("unknown_transaction")


def test_the_same_key_answers_the_first_result_whatever_came_after(story):
    first = story.gift(10, key="a", expires_at=story.now + HOUR)
    used = story.use(10, key="b")
    story.ledger.set_status(user_id=story.user, status="banned")
    story.after(2 * HOUR)
    assert (first.replayed, story.use(10, key="b").balance_after) == (False, 0)
    again = story.gift(10, key="a", expires_at=story.now - HOUR)
    assert (again.replayed, again.seq, again.balance_after) == (True, first.seq, 10)
    assert story.use(9, key="b").code == story.refund(used.seq, key="b").code == "idempotency_conflict"
    assert len(story.entries) == 2


def test_a_key_that_was_refused_may_be_used_again(story):
    assert story.use(1, key="a").code == "insufficient_credits"
    story.gift(5)
    assert story.use(2, key="a").balance_after == 3


@pytest.mark.parametrize(("status", "code"), [("banned", "user_banned"), ("suspended", "user_suspended")])
def test_who_is_barred_spends_nothing_but_keeps_what_is_theirs(story, status, code):
    story.gift(10)
    used, hold = story.use(2), story.hold(3)
    story.ledger.set_status(user_id=story.user, status=status)
    assert story.use(1).code == story.hold(1).code == code
    assert story.capture(hold).captured == 3
    assert story.refund(used.seq).balance_after == 7


def test_demo_customers_are_never_charged(story):
    story.user = story.ledger.new_person(is_demo=True)
    assert story.gift(1).code == "demo_customer"
    charge = story.use(5)
    assert (charge.seq, charge.amount) == (None, 0)
    hold = story.hold(5)
    assert (hold.amount, hold.state) == (0, "open")
    assert story.capture(hold).captured == 0
    assert (story.entries, story.figures) == ([], (0, 0, 0))


def test_the_items_of_a_batch_see_each_other(story):
    def item(act, kind, amount, key):
        return act, {"user_id": story.user, "kind": kind, "amount": Decimal(amount), "key": key}

    answers = story.ledger.batch(
        [
            item("add", "gift", 10, "a"),
            item("spend", "usage", 8, "b"),
            item("spend", "usage", 8, "c"),
            item("spend", "usage", 8, "b"),
            item("add", "gift", 6, "c"),
        ]
    )
    assert [getattr(answer, "balance_after", answer) for answer in answers] == [
        10,
        2,
        Refusal("insufficient_credits", 2),
        2,
        8,
    ]
    assert [answers[n].replayed for n in (1, 3)] == [False, True]


def test_a_batch_books_what_one_of_its_items_lets_lapse(story):
    story.gift(5, expires_at=story.now + HOUR)
    story.hold(5)
    story.after(HOUR)
    gift = {"user_id": story.user, "kind": "gift", "amount": Decimal(5)}
    story.ledger.batch([("add", gift | {"key": "a", "priority": 1}), ("add", gift | {"key": "b"})])
    assert story.entries == [("gift", 5), ("gift", 5), ("expiry", -5), ("gift", 5)]
