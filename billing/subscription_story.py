"""What the events of one subscription tell together: what it was worth a month after each of them. No I/O here.

Everything is read in the order of Stripe's time, so the order in which the events came cannot matter. What is over
stays over. Discounts come and go with events of their own, of the subscription or of its customer; a customer's counts
while the subscription has none that recurs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from billing.errors import Parked
from billing.models.payments import MAX_MINOR
from billing.models.statuses import EARNING, SUBSCRIPTION_OVER
from billing.mrr import Discount, monthly, mrr
from billing.readings.discounts import DiscountTold
from billing.readings.subscriptions import SubscriptionTold

# So many events of one second and type keep their order.
PLACES = 100


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One event: of the subscription (``told``), or of a discount (``discount``) that began or changed, or ended."""

    event_id: int
    at: datetime
    rank: int
    told: SubscriptionTold | None = None
    discount: DiscountTold | None = None
    has_ended: bool = False

    @property
    def moment(self) -> tuple[datetime, int, bool]:
        return self.at, self.rank, self.told is None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A discount with what it takes off: of one item, or of all."""

    told: DiscountTold
    item_id: str = ""

    @property
    def terms(self) -> Discount:
        return self.told.terms()


@dataclass(frozen=True, kw_only=True)
class Step:
    """The subscription after one event. ``place`` orders those of one second; ``as_of`` is of its last own word."""

    event_id: int
    at: datetime
    place: int
    told: SubscriptionTold
    as_of: tuple[datetime, int]
    discounts: Sequence[Counted]
    mrr_minor: int


# Adds to a discount what it takes off. Raises what keeps that from being known.
Terms = Callable[[DiscountTold], DiscountTold]


@dataclass(kw_only=True)
class _State:
    stripe_id: str
    told: SubscriptionTold | None = None
    as_of: tuple[datetime, int] | None = None
    own: dict[str, DiscountTold] = field(default_factory=dict)
    customers: DiscountTold | None = None

    @property
    def is_over(self) -> bool:
        return self.told is not None and self.told.status in SUBSCRIPTION_OVER

    def hear(self, heard: Heard) -> None:
        if heard.told is not None and not self.is_over:
            self.told, self.as_of = heard.told, (heard.at, heard.rank)
            self.own = {discount.key: discount for discount in heard.told.discounts}
        elif heard.discount is not None and heard.discount.subscription_id != self.stripe_id:
            self._hear_customers(heard.discount, heard.has_ended)
        elif heard.discount is not None and self.told is not None:
            self._hear_own(self.told, heard.discount, heard.has_ended)

    def _hear_customers(self, discount: DiscountTold, has_ended: bool) -> None:
        if not has_ended:
            self.customers = discount
        elif self.customers is not None and self.customers.key == discount.key:
            # Of one that was replaced the end may be told last.
            self.customers = None

    def _hear_own(self, told: SubscriptionTold, discount: DiscountTold, has_ended: bool) -> None:
        if not discount.item_id:
            self.own = _changed(self.own, discount, has_ended)
            return
        items = []
        for item in told.items:
            if item.id == discount.item_id:
                own = _changed({each.key: each for each in item.discounts}, discount, has_ended)
                items.append(replace(item, discounts=tuple(own.values())))
            else:
                items.append(item)
        self.told = replace(told, items=tuple(items))


def steps_of(heard: Iterable[Heard], *, stripe_id: str, since: datetime, terms: Terms) -> list[Step]:
    """The subscription after each event from ``since`` on; what was heard before is only the ground for it."""
    state, steps = _State(stripe_id=stripe_id), list[Step]()
    place, last = 0, None
    for each in sorted(heard, key=lambda one: one.moment):
        place = place + 1 if last == (each.at, each.rank) else 0
        last = (each.at, each.rank)
        state.hear(each)
        # What begins or ends a discount of something that is over, or not there yet, tells nothing of it.
        if state.told is None or state.as_of is None or each.at < since or (state.is_over and each.told is None):
            continue
        steps.append(_step(state, state.told, state.as_of, each, place, terms))
    return steps


def _step(
    state: _State, told: SubscriptionTold, as_of: tuple[datetime, int], heard: Heard, place: int, terms: Terms
) -> Step:
    discounts: list[Counted] = []
    worth = 0
    # Only of what earns is asked what is taken off: the terms may not be known.
    if told.status in EARNING and not told.is_paused:
        of_items = [Counted(told=terms(each), item_id=item.id) for item in told.items for each in item.discounts]
        of_all = _of_all(state, heard.at, terms)
        discounts = [each for each in (*of_items, *of_all) if each.terms.recurs(heard.at)]
        rates = [item.rate(each.terms for each in of_items if each.item_id == item.id) for item in told.items]
        worth = mrr(
            rates,
            [each.terms for each in of_all],
            status=told.status,
            is_paused=told.is_paused,
            currency=told.currency,
            at=heard.at,
        )
    # Of what earns nothing, or is discounted, the items are kept with their worth all the same.
    if max([worth, *(monthly(item.rate(), at=heard.at) for item in told.items)]) > MAX_MINOR:
        raise Parked(f"What {told.id} is worth a month is no amount that can be kept. Look it up in Stripe.")
    return Step(
        event_id=heard.event_id,
        at=heard.at,
        place=heard.rank * PLACES + min(place, PLACES - 1),
        told=told,
        as_of=as_of,
        discounts=discounts,
        mrr_minor=worth,
    )


def _of_all(state: _State, at: datetime, terms: Terms) -> list[Counted]:
    """The discounts of the whole subscription; the customer's, unless one of its own recurs."""
    own = [Counted(told=terms(each)) for each in state.own.values()]
    if any(each.terms.recurs(at) for each in own) or state.customers is None:
        return own
    return [Counted(told=terms(state.customers))]


def _changed(discounts: Mapping[str, DiscountTold], discount: DiscountTold, has_ended: bool) -> dict[str, DiscountTold]:
    if has_ended:
        return {key: each for key, each in discounts.items() if key != discount.key}
    return {**discounts, discount.key: discount}
