"""The life of one customer: arrives, works as long as the credits last, buys, is given and taken from, drops out."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from backoffice.demo import disputes, ids, jobs, office, subscriptions, till
from backoffice.demo.acts import (
    Act,
    Activity,
    Adjustment,
    Bonus,
    Delivery,
    Gift,
    GiftReversal,
    Pack,
    SignUp,
    StatusChange,
)
from backoffice.demo.catalogue import pack_for, piece_of_work
from backoffice.demo.people import Role, waking_moment
from backoffice.demo.period import DAY, Period, last_moment_after, midnight, moment_between
from backoffice.demo.purse import Purse

SIGNUP_CREDITS = Decimal(25)
SIGNUP_CREDITS_DAYS = 30
GIFT_DAYS = (None, 30, 90)
# Weekends are quieter.
SESSIONS_BY_WEEKDAY = (1.0, 1.05, 1.05, 1.0, 0.95, 0.75, 0.8)


def live(rng: Random, role: Role, period: Period) -> list[Act]:
    """Everything that one customer does and has done to them, in time and within the period."""
    acts = sorted(_Life(rng, role, period).acts(), key=lambda act: act.at)
    if role.end_status != "active":
        acts = _cut_short(rng, role, period, acts)
    return [act for act in acts if act.at < period.end]


def _cut_short(rng: Random, role: Role, period: Period, acts: list[Act]) -> list[Act]:
    """The same life up to a suspension or ban, some hours after something that they did."""
    latest = [act.at for act in acts if act.at < period.end - DAY] or [role.person.joined]
    at = rng.choice(latest[len(latest) // 2 :]) + timedelta(seconds=rng.randint(1800, 60_000))
    is_ban = role.end_status == "banned"
    change = StatusChange(
        at=at,
        person_id=role.person.external_id,
        status=role.end_status,
        reason=rng.choice(office.BAN_REASONS if is_ban else office.SUSPENSION_REASONS),
        colleague=office.MODERATOR.email,
        until=None if is_ban or rng.random() < 0.4 else _end_of_suspension(rng, at, period),
    )
    lived = [act for act in acts if act.at < at]
    # Who may not use the product is not asked to pay for it either.
    return [*lived, *subscriptions.cut_short(rng, lived, at), change]


def _end_of_suspension(rng: Random, at: datetime, period: Period) -> datetime | None:
    """Weeks later, if the story ends before that; an older one lasts until it is lifted."""
    end = last_moment_after(at, rng.choice((14, 28, 56)))
    return end if end > period.end else None


class _Life:
    def __init__(self, rng: Random, role: Role, period: Period) -> None:
        self.rng = rng
        self.person = role.person
        self.habit = role.habit
        self.period = period
        self.purse = Purse()
        self.role = role

    def acts(self) -> Iterator[Act]:
        yield from self.arrive()
        for at, happening in sorted(self.plan(), key=lambda planned: planned[0]):
            yield from happening(at)

    def plan(self) -> Iterator[tuple[datetime, Callable[[datetime], Iterator[Act]]]]:
        """When which of the things below happens."""
        first = self.person.joined + timedelta(seconds=self.rng.randint(60, 900))
        yield first, self.work
        yield from ((at, self.session) for at in self.sessions())
        if not self.person.is_demo:
            yield from self.plan_of_credits()

    def plan_of_credits(self) -> Iterator[tuple[datetime, Callable[[datetime], Iterator[Act]]]]:
        yield from ((self.office_hour(), self.gift) for _ in range(self.role.gifts))
        yield from ((self.office_hour(), self.adjust) for _ in range(self.role.adjustments))
        for chapter in subscriptions.chapters(self.rng, self.person, self.period, ending=self.role.ending):
            yield chapter.at, partial(self.subscribed, chapter)
        if self.role.gift_reversed:
            yield self.office_hour(), self.mistaken_gift
        if self.role.has_queue:
            yield self.period.end - timedelta(seconds=self.rng.randint(600, 9000)), self.queue
        if self.role.trouble:
            yield disputes.moment_of_purchase(self.rng, self.role.trouble, self.person, self.period), self.regret

    def sessions(self) -> Iterator[datetime]:
        leaves = self.person.joined + self.rng.randint(*self.habit.stays) * DAY
        for day in self.period.midnights(self.person.joined + DAY):
            if day > leaves:
                return
            if self.rng.random() < self.habit.per_day * SESSIONS_BY_WEEKDAY[day.weekday()]:
                yield waking_moment(self.rng, day, self.person.utc_offset)

    def office_hour(self) -> datetime:
        """A moment at work, from the day after the signup on."""
        day = midnight(moment_between(self.rng, self.person.joined + DAY, self.period.end).date())
        return day + timedelta(hours=self.rng.randint(8, 16), seconds=self.rng.randrange(3600))

    def arrive(self) -> Iterator[Act]:
        joined, visitor = self.person.joined, self.person.visitor_id
        visited = max(self.period.start, joined - timedelta(seconds=self.rng.randint(40, 1500)))
        page = {"page": self.rng.choice(("/", "/", "/pricing", "/gallery")), "source": self.person.source}
        yield Activity(
            at=visited,
            event_id=ids.hex_id(self.rng, "act_"),
            action="visit",
            person_id=None,
            visitor_id=visitor,
            details=page,
        )
        yield SignUp(at=joined, person=self.person)
        yield self.activity(joined, "signup", visitor_id=visitor, source=self.person.source)
        if not self.person.is_demo:
            yield self.bonus(joined)

    def bonus(self, at: datetime) -> Bonus:
        expires_at = last_moment_after(at, SIGNUP_CREDITS_DAYS)
        self.purse.add(SIGNUP_CREDITS, expires_at)
        return Bonus(
            at=at,
            person_id=self.person.external_id,
            credits=SIGNUP_CREDITS,
            expires_at=expires_at,
            key=f"growth:signup:{self.person.external_id}",
        )

    def session(self, at: datetime) -> Iterator[Act]:
        yield self.activity(at, "login", method=self.rng.choice(("password", "google", "google", "apple")))
        low = self.purse.has(at) < self.habit.low
        if low and not self.person.is_demo and self.rng.random() < self.habit.buys:
            at += timedelta(seconds=self.rng.randint(40, 240))
            yield from self.buy(at)
        yield from self.work(at + timedelta(seconds=self.rng.randint(20, 200)))

    def buy(self, at: datetime) -> Iterator[Act]:
        (name,) = self.rng.choices(list(self.habit.packs), list(self.habit.packs.values()))
        yield from self.pay_for(pack_for(self.rng, name, self.person.country), at)

    def pay_for(self, pack: Pack, at: datetime) -> Iterator[Delivery]:
        self.purse.add(Decimal(pack.credits))
        yield from till.purchase(self.rng, at, self.person, pack)

    def regret(self, at: datetime) -> Iterator[Act]:
        """Buy, use some of it or all, and have the purchase taken back; they are not seen again."""
        pack = pack_for(self.rng, disputes.PACK, self.person.country)
        deliveries = list(self.pay_for(pack, at))
        done = list(self.work(at + timedelta(seconds=60), disputes.WORKS[self.role.trouble]))
        at = max((act.at for act in done), default=at)
        yield from (*deliveries, *done)
        yield from disputes.taken_back(
            self.rng,
            self.role.trouble,
            at,
            self.person,
            json.loads(deliveries[-1].body)["data"]["object"],
            bought=Decimal(pack.credits),
            unspent=min(self.purse.has(at), Decimal(pack.credits)),
        )

    def subscribed(self, chapter: subscriptions.Chapter, at: datetime) -> Iterator[Act]:
        if chapter.credits:
            self.purse.add(chapter.credits, chapter.lapses)
        yield from chapter.acts

    def queue(self, at: datetime) -> Iterator[Act]:
        credits = Decimal(self.rng.choice((8, 18, 30)))
        if self.purse.has(at) < credits:
            yield from self.pay_for(pack_for(self.rng, "Starter", self.person.country), at)
        self.purse.take(credits, at)
        yield jobs.queued(self.rng, at + timedelta(seconds=30), self.person, credits)

    def work(self, at: datetime, pieces: int | None = None) -> Iterator[Act]:
        for _ in range(self.rng.randint(*self.habit.works) if pieces is None else pieces):
            work = piece_of_work(self.rng, self.habit.kinds)
            if not self.person.is_demo and not self.purse.take(work.credits, at):
                return
            reference = ids.hex_id(self.rng, "gen_")
            yield self.activity(at, "generate", generation=reference, action_type=work.action_type)
            if not self.person.is_demo:
                # What comes back of it is left out of the purse: there may be more, and never less, in the ledger.
                yield from jobs.job(self.rng, at, self.person, reference, work, self.period)
            at += timedelta(seconds=self.rng.randint(30, 420))

    def gift(self, at: datetime) -> Iterator[Act]:
        act = self.a_gift(at)
        self.purse.add(act.credits, act.expires_at)
        yield act

    def a_gift(self, at: datetime) -> Gift:
        credits, days = Decimal(office.gift_size(self.rng)), self.rng.choice(GIFT_DAYS)
        expires_at = last_moment_after(at, days) if days else None
        return Gift(
            at=at,
            person_id=self.person.external_id,
            credits=credits,
            reason=self.rng.choice(office.GIFT_REASONS),
            colleague=office.supporter(self.rng).email,
            key=ids.hex_id(self.rng, "admin:gift:"),
            expires_at=expires_at,
        )

    def mistaken_gift(self, at: datetime) -> Iterator[Act]:
        # Not into the purse: nobody counts on it.
        yield self.a_gift(at)
        yield GiftReversal(
            at=at + timedelta(seconds=self.rng.randint(90, 600)),
            person_id=self.person.external_id,
            reason=self.rng.choice(office.REVERSAL_REASONS),
            colleague=office.BILLING.email,
            key=ids.hex_id(self.rng, "admin:reverse:"),
        )

    def adjust(self, at: datetime) -> Iterator[Act]:
        credits = Decimal(self.rng.choice((-20, -10, 12, 40, 100)))
        if credits < 0 and not self.purse.take(-credits, at):
            credits = -credits
        if credits > 0:
            self.purse.add(credits)
        yield Adjustment(
            at=at,
            person_id=self.person.external_id,
            credits=credits,
            reason=self.rng.choice(office.ADD_REASONS if credits > 0 else office.TAKE_REASONS),
            colleague=office.BILLING.email,
            key=ids.hex_id(self.rng, "admin:adjust:"),
        )

    def activity(self, at: datetime, action: str, *, visitor_id: str = "", **details: str) -> Activity:
        return Activity(
            at=at,
            event_id=ids.hex_id(self.rng, "act_"),
            action=action,
            person_id=self.person.external_id,
            visitor_id=visitor_id,
            details=details,
        )
