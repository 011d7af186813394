"""Who the customers are: the ways they use the product, and the cast of one company."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from backoffice.demo import ids
from backoffice.demo.acts import Person
from backoffice.demo.catalogue import MOSTLY_IMAGES, MOSTLY_VIDEO
from backoffice.demo.endings import ENDINGS
from backoffice.demo.names import ODD_IDENTITIES, Identity, Registrar
from backoffice.demo.period import Period

SOURCES = {
    "organic": 34,
    "google": 24,
    "referral": 14,
    "tiktok": 12,
    "product_hunt": 6,
    "youtube": 6,
    "newsletter": 4,
}
CARDS = {"visa": 55, "mastercard": 33, "amex": 8, "jcb": 4}
# By the end of the story, so many times more people sign up in a day than at its beginning.
GROWTH = 3.5
WEEKDAYS = (1.0, 1.1, 1.12, 1.08, 0.95, 0.6, 0.65)
# Signups by the hour of where people are, from midnight on.
WAKING = (2, 1, 1, 0, 0, 1, 2, 4, 6, 8, 9, 9, 10, 9, 9, 9, 8, 8, 9, 11, 12, 11, 8, 5)


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How somebody uses the product, while they do.

    ``per_day`` is the chance of a session, ``works`` the pieces of work in one, ``stays`` the days until they lose
    interest. With fewer than ``low`` credits they buy one of ``packs`` with the chance ``buys``.
    ``kinds`` are what they have made, by weight.
    """

    plans: Mapping[str, int]
    per_day: float
    works: tuple[int, int]
    stays: tuple[int, int]
    buys: float = 0
    low: int = 0
    packs: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=lambda: MOSTLY_IMAGES)


LOOKER = Habit(plans={"free": 98, "starter": 2}, per_day=0.12, works=(1, 4), stays=(0, 14))
CASUAL = Habit(
    plans={"free": 84, "starter": 14, "pro": 2},
    per_day=0.1,
    works=(2, 5),
    stays=(20, 120),
    buys=0.5,
    low=6,
    packs={"Starter": 90, "Plus": 10},
)
REGULAR = Habit(
    plans={"free": 54, "starter": 28, "pro": 15, "studio": 3},
    per_day=0.18,
    works=(1, 5),
    stays=(40, 400),
    buys=0.8,
    low=10,
    packs={"Starter": 50, "Plus": 45, "Pro": 5},
)
HEAVY = Habit(
    plans={"free": 20, "starter": 20, "pro": 40, "studio": 20},
    per_day=0.32,
    works=(2, 6),
    stays=(90, 700),
    buys=0.8,
    low=30,
    packs={"Plus": 60, "Pro": 40},
)
WHALE = Habit(
    plans={"pro": 25, "studio": 75},
    per_day=0.7,
    works=(5, 12),
    stays=(400, 900),
    buys=0.95,
    low=300,
    packs={"Pro": 75, "Studio": 25},
    kinds=MOSTLY_VIDEO,
)
SUBSCRIBER = Habit(plans={"pro": 1}, per_day=0.3, works=(1, 5), stays=(300, 700))
# Whose purchase is taken back: no plan, so that nothing pays what they owe.
TROUBLED = Habit(plans={"free": 1}, per_day=0, works=(1, 3), stays=(0, 0), kinds=MOSTLY_VIDEO)
TROUBLES = {
    "charged_back": 0.007,
    "refunded": 0.01,
    "won": 0.004,
    "disputed": 0.006,
    "failed_refund": 0.003,
    "refunded_in_full": 0.006,
}
# Whose subscription ends up in one of these states, for each of them.
ENDS_SO = 0.004
HABITS = (LOOKER, CASUAL, REGULAR, HEAVY)
SHARES = (40, 33, 20, 7)


@dataclass(frozen=True, kw_only=True)
class Role:
    """A customer of the story and what is in store for them.

    ``trouble`` is how a purchase of theirs is taken back, if it is: refunded, refunded_in_full, failed_refund,
    charged_back, won after a dispute, or disputed still. ``ending`` is what their subscription is at last, if that is
    told.
    """

    person: Person
    habit: Habit
    gifts: int
    adjustments: int
    end_status: str
    gift_reversed: bool
    has_queue: bool
    trouble: str
    ending: str


class Lots:
    """Who is what, by number; each of these is dealt to somebody else, and to somebody even in a small company."""

    def __init__(self, rng: Random, users: int) -> None:
        self._deck = rng.sample(range(users), users)
        self._users = users
        self.whales = self._deal(0.02)
        self.suspended = self._deal(0.03)
        self.banned = self._deal(0.02)
        self.demo = self._deal(0.015)
        self.adjusted = self._deal(0.05)
        self.gifted = self._deal(0.12)
        # What needs some days to happen comes to those who signed up early.
        self.gift_reversed = self._deal(0.007, to_early=True)
        self.queued = self._deal(0.02, to_early=True)
        self._trouble = {kind: self._deal(share, to_early=True) for kind, share in TROUBLES.items()}
        self._ending = {kind: self._deal(ENDS_SO, to_early=True) for kind in ENDINGS}
        self.odd = dict(zip(rng.sample(range(users), users // 6), ODD_IDENTITIES, strict=False))

    def _deal(self, share: float, *, to_early: bool = False) -> frozenset[int]:
        fitting = [number for number in self._deck if not to_early or number < self._users // 2]
        dealt = frozenset(fitting[: max(1, round(self._users * share))])
        self._deck = [number for number in self._deck if number not in dealt]
        return dealt

    def habit(self, number: int) -> Habit | None:
        if self.trouble(number):
            return TROUBLED
        if self.ending(number):
            return SUBSCRIBER
        return WHALE if number in self.whales else None

    def trouble(self, number: int) -> str:
        return next((kind for kind, dealt in self._trouble.items() if number in dealt), "")

    def ending(self, number: int) -> str:
        return next((kind for kind, dealt in self._ending.items() if number in dealt), "")

    def end_status(self, number: int) -> str:
        if number in self.suspended:
            return "suspended"
        return "banned" if number in self.banned else "active"


def cast(rng: Random, users: int, period: Period) -> list[Role]:
    """``users`` customers in the order in which they sign up, the first of them on the first day."""
    registrar, lots = Registrar(), Lots(rng, users)
    roles = [
        _role(rng, number, day, lots, lots.odd.get(number) or registrar.identity(rng))
        for number, day in enumerate(_signup_days(rng, users, period))
    ]
    return sorted(roles, key=lambda role: role.person.joined)


def _signup_days(rng: Random, users: int, period: Period) -> list[datetime]:
    days = list(period.midnights(period.start))
    weights = [(1 + (GROWTH - 1) * number / len(days)) * WEEKDAYS[day.weekday()] for number, day in enumerate(days)]
    return [days[0], *sorted(rng.choices(days, weights, k=users - 1))]


def _role(rng: Random, number: int, day: datetime, lots: Lots, identity: Identity) -> Role:
    habit = lots.habit(number) or rng.choices(HABITS, SHARES)[0]
    return Role(
        person=_person(rng, identity, habit, waking_moment(rng, day, identity.country.utc_offset), number in lots.demo),
        habit=habit,
        gifts=rng.randint(1, 2) if number in lots.gifted else 0,
        adjustments=int(number in lots.adjusted),
        end_status=lots.end_status(number),
        gift_reversed=number in lots.gift_reversed,
        has_queue=number in lots.queued,
        trouble=lots.trouble(number),
        ending=lots.ending(number),
    )


def waking_moment(rng: Random, day: datetime, utc_offset: int) -> datetime:
    """A moment on this day of UTC at which people are up and about so far from UTC."""
    (hour,) = rng.choices(range(24), WAKING)
    return day + timedelta(hours=(hour - utc_offset) % 24, seconds=rng.randrange(3600))


def _person(rng: Random, identity: Identity, habit: Habit, joined: datetime, is_demo: bool) -> Person:
    return Person(
        external_id=ids.hex_id(rng, "usr_"),
        email=identity.email,
        name=identity.name,
        country=identity.country.code,
        utc_offset=identity.country.utc_offset,
        source=rng.choices(list(SOURCES), list(SOURCES.values()))[0],
        plan=rng.choices(list(habit.plans), list(habit.plans.values()))[0],
        joined=joined,
        referral_code=ids.referral_code(rng),
        visitor_id=ids.hex_id(rng, "vis_"),
        stripe_customer_id=ids.stripe_id(rng, "cus_"),
        card_brand=rng.choices(list(CARDS), list(CARDS.values()))[0],
        card_last4=f"{rng.randrange(10_000):04d}",
        characters=rng.choice((0, 0, 0, 1, 1, 2, 3, 5, 8)),
        is_demo=is_demo,
    )
