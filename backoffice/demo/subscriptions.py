"""Subscriptions: when somebody takes a plan, what becomes of it, and what Stripe delivers of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from backoffice.demo import ids, stripe_events
from backoffice.demo.acts import Act, Delivery, Person, Renewal
from backoffice.demo.catalogue import currency_of
from backoffice.demo.period import DAY, Period, midnight
from backoffice.demo.plans import TIERS, Tier, smaller
from backoffice.demo.stripe_subscriptions import Line, Terms, discount, invoice, seconds, subscription
from credits.periods import month_after

# How often each happens to a subscription.
UPGRADES, TRIALS, CONVERTS, YEARLY = 0.2, 0.25, 0.7, 0.1
DISCOUNTS, LEAVES, FAILS, RECOVERS, PAUSES, DOWNGRADES = 0.15, 0.22, 0.2, 0.5, 0.06, 0.12
# What brings a subscription there: its fate, and the month in which it comes.
FATES = {"leaving": (0.0, 1), "past_due": (LEAVES, 2)}
# The company sells plans since then; who was a customer before takes one in the weeks that follow.
SOLD_FOR, TAKEN_WITHIN = 130 * DAY, 40 * DAY
TRIAL = 7 * DAY
BEFORE_THE_END = {"trialing": 3 * DAY, "leaving": 24 * DAY, "past_due": 33 * DAY}
PERCENT = 20
# Stripe collects, and the first sweep of a day comes by.
COLLECTED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """What happens at one moment, and the ``credits`` that come with it and lapse at ``lapses``."""

    at: datetime
    acts: Sequence[Act]
    credits: Decimal = Decimal(0)
    lapses: datetime | None = None


def chapters(rng: Random, person: Person, period: Period, *, ending: str = "") -> Iterator[Chapter]:
    """What becomes of the plan of ``person`` within the story, from the day on which they take it.

    ``ending`` is what the subscription is as the story ends: trialing, leaving or past_due; chance unless told.
    """
    tier = TIERS.get(person.plan)
    wants = max(person.joined + DAY, period.end - SOLD_FOR)
    taken = wants + timedelta(seconds=rng.randrange(int(TAKEN_WITHIN.total_seconds())))
    if ending:
        taken = max(person.joined + DAY, period.end - BEFORE_THE_END[ending])
    if tier is None or taken >= period.end:
        return
    course = _Course(rng, person, tier, taken, period, ending)
    yield from (chapter for chapter in course.chapters() if chapter.at < period.end)


class _Course:
    def __init__(self, rng: Random, person: Person, tier: Tier, taken: datetime, period: Period, ending: str) -> None:
        self.rng, self.person, self.taken, self.period, self.ending = rng, person, taken, period, ending
        self.is_yearly = rng.random() < YEARLY and not ending
        self.has_trial = ending == "trialing" or (rng.random() < TRIALS and not self.is_yearly and not ending)
        self.upgrades = rng.random() < UPGRADES and not self.is_yearly and not ending and smaller(tier) != tier
        self.tier = smaller(tier) if self.upgrades else tier
        self.goal = tier
        self.invoices = 0
        self.terms = Terms(
            person=person,
            subscription_id=ids.stripe_id(rng, "sub_"),
            item_id=ids.stripe_id(rng, "si_"),
            currency=currency_of(rng, person.country, among=("USD", "EUR")),
            interval="year" if self.is_yearly else "month",
            started=taken,
        )
        if rng.random() < DISCOUNTS and not self.has_trial:
            until = midnight(taken.date()) + 91 * DAY
            self.terms = replace(self.terms, discount=discount(ids.stripe_id(rng, "di_"), taken, until, PERCENT))

    def chapters(self) -> Iterator[Chapter]:
        begins = midnight(self.taken.date())
        if self.has_trial:
            yield self.trial(begins)
            begins += TRIAL
            if self.rng.random() >= CONVERTS:
                yield self.ended(begins, "canceled")
                return
        yield from self.year(begins) if self.is_yearly else self.months(begins)

    def trial(self, begins: datetime) -> Chapter:
        ends = begins + TRIAL
        told = self.told("trialing", begins, ends, trial_start=seconds(begins), trial_end=seconds(ends))
        line = Line(tier=self.tier, amount=0, starts=begins, ends=ends)
        acts = [
            self.delivery(self.taken, "customer.subscription.created", told),
            *self.paid(self.taken, [line], "subscription_create"),
        ]
        return Chapter(at=self.taken, acts=acts, credits=self.tier.trial, lapses=ends)

    def year(self, begins: datetime) -> Iterator[Chapter]:
        (starts, ends), *others = _months(begins, self.period.end)
        until = month_after(begins, 12, ZoneInfo("UTC")).astimezone(UTC)
        yield replace(self.begun(starts, until), lapses=ends)
        for starts, ends in others:
            renewal = Renewal(at=starts + COLLECTED_AFTER, person_id=self.person.external_id)
            yield Chapter(at=renewal.at, acts=[renewal], credits=self.tier.credits, lapses=ends)

    def months(self, begins: datetime) -> Iterator[Chapter]:
        upgraded = self.taken + self.rng.randint(5, 40) * DAY
        fate, last = FATES.get(self.ending) or (self.rng.random(), self.rng.randint(1, 3))
        for number, (starts, ends) in enumerate(_months(begins, self.period.end), start=1):
            middle = starts + self.rng.randint(4, 20) * DAY
            is_last = number == last
            if number > 1 and is_last and LEAVES <= fate < LEAVES + FAILS:
                unpaid = self.not_paid(starts, ends)
                yield self.unpaid(unpaid, starts, ends)
                if self.ending:
                    return
                if self.rng.random() >= RECOVERS:
                    yield self.ended(starts + 14 * DAY, "canceled")
                    return
                yield self.recovered(unpaid, starts + 3 * DAY, starts, ends)
                continue
            if number > 1 and is_last and LEAVES + FAILS <= fate < LEAVES + FAILS + DOWNGRADES:
                self.tier = self.goal = smaller(self.tier)
            yield self.begun(starts, ends) if number == 1 and not self.has_trial else self.renewed(starts, ends)
            if self.tier != self.goal and starts < upgraded < ends:
                yield self.upgraded(upgraded, starts, ends)
            if is_last and fate < LEAVES:
                yield self.leaving(middle, starts, ends)
                yield self.ended(ends, "canceled")
                return
            if is_last and fate > 1 - PAUSES:
                yield self.paused(middle, starts, ends)
                return

    def begun(self, starts: datetime, ends: datetime) -> Chapter:
        """The first period, paid for at once."""
        return self.paid_period(self.taken, "customer.subscription.created", "subscription_create", starts, ends)

    def renewed(self, starts: datetime, ends: datetime) -> Chapter:
        at = starts + COLLECTED_AFTER
        return self.paid_period(at, "customer.subscription.updated", "subscription_cycle", starts, ends)

    def recovered(self, unpaid: stripe_events.Object, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        """Another card pays what the first one did not."""
        told = {
            **unpaid,
            "status": "paid",
            "paid": True,
            "amount_paid": unpaid["total"],
            "amount_remaining": 0,
            "attempt_count": 2,
            "status_transitions": {**unpaid["status_transitions"], "paid_at": seconds(at)},
        }
        acts = [
            self.delivery(at, "customer.subscription.updated", self.told("active", starts, ends)),
            *self.collected(at, told),
        ]
        return Chapter(at=at, acts=acts, credits=self.tier.credits, lapses=ends)

    def paid_period(self, at: datetime, event_type: str, reason: str, starts: datetime, ends: datetime) -> Chapter:
        line = Line(tier=self.tier, amount=self.price(self.tier), starts=starts, ends=ends)
        acts = [self.delivery(at, event_type, self.told("active", starts, ends)), *self.paid(at, [line], reason)]
        return Chapter(at=at, acts=acts, credits=self.tier.credits, lapses=ends)

    def not_paid(self, starts: datetime, ends: datetime) -> stripe_events.Object:
        """The invoice of a period that no card paid."""
        line = Line(tier=self.tier, amount=self.price(self.tier), starts=starts, ends=ends)
        return self.invoice(starts + COLLECTED_AFTER, [line], "subscription_cycle", status="open")

    def unpaid(self, told: stripe_events.Object, starts: datetime, ends: datetime) -> Chapter:
        at = starts + COLLECTED_AFTER
        acts = [
            self.delivery(at, "invoice.payment_failed", told),
            self.delivery(at, "customer.subscription.updated", self.told("past_due", starts, ends)),
        ]
        return Chapter(at=at, acts=acts)

    def upgraded(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        """The rest of the month by the larger plan: what is left of the old one is given back."""
        left = (ends - at) / (ends - starts)
        lines = [
            Line(tier=tier, amount=sign * round(self.price(tier) * left), starts=at, ends=ends, is_proration=True)
            for tier, sign in ((self.tier, -1), (self.goal, 1))
        ]
        more = self.goal.credits - self.tier.credits
        self.tier = self.goal
        acts = [
            self.delivery(at, "customer.subscription.updated", self.told("active", starts, ends)),
            *self.paid(at, lines, "subscription_update"),
        ]
        return Chapter(at=at, acts=acts, credits=more, lapses=ends)

    def leaving(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        told = self.told(
            "active", starts, ends, cancel_at_period_end=True, cancel_at=seconds(ends), canceled_at=seconds(at)
        )
        return Chapter(at=at, acts=[self.delivery(at, "customer.subscription.updated", told)])

    def paused(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        told = self.told("active", starts, ends, pause_collection={"behavior": "void", "resumes_at": None})
        return Chapter(at=at, acts=[self.delivery(at, "customer.subscription.updated", told)])

    def ended(self, at: datetime, status: str) -> Chapter:
        told = self.told(status, at, at, ended_at=seconds(at), canceled_at=seconds(at))
        return Chapter(at=at, acts=[self.delivery(at, "customer.subscription.deleted", told)])

    def price(self, tier: Tier) -> int:
        return tier.prices[self.terms.currency, self.terms.interval]

    def told(self, status: str, starts: datetime, ends: datetime, **fields: object) -> stripe_events.Object:
        return subscription(self.terms, self.tier, status=status, starts=starts, ends=ends, **fields)

    def invoice(self, at: datetime, lines: Sequence[Line], reason: str, **fields: object) -> stripe_events.Object:
        self.invoices += 1
        return invoice(
            self.terms,
            lines,
            invoice_id=ids.stripe_id(self.rng, "in_"),
            number=f"{self.terms.subscription_id[4:12].upper()}-{self.invoices:04d}",
            reason=reason,
            at=at,
            **fields,
        )

    def paid(self, at: datetime, lines: Sequence[Line], reason: str) -> Iterator[Delivery]:
        yield from self.collected(at, self.invoice(at, lines, reason))

    def collected(self, at: datetime, told: stripe_events.Object) -> Iterator[Delivery]:
        """An invoice that is paid, and what pays it."""
        if not told["total"]:
            yield self.delivery(at, "invoice.paid", told)
            return
        intent = stripe_events.payment_intent(
            self.rng,
            at,
            self.person,
            amount=told["total"],
            currency=self.terms.currency,
            description="Subscription update" if told["billing_reason"] == "subscription_update" else "Subscription",
            metadata={},
            invoice_id=told["id"],
        )
        yield self.delivery(at, "invoice.paid", {**told, "payment_intent": intent["id"]})
        yield self.delivery(at, "payment_intent.succeeded", intent)

    def delivery(self, at: datetime, event_type: str, subject: stripe_events.Object) -> Delivery:
        body = stripe_events.event(self.rng, at, event_type, subject)
        return Delivery(at=at, body=body, person_id=self.person.external_id)


def _months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    # By UTC whatever the zone of reports is: all that lapses in the story lapses at its midnights.
    number, starts = 0, since
    while starts < until:
        number += 1
        ends = month_after(since, number, ZoneInfo("UTC")).astimezone(UTC)
        yield starts, ends
        starts = ends
