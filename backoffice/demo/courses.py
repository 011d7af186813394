"""The course of one subscription: what Stripe delivers at each of its turns, and the credits that come with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from backoffice.demo import ids, stripe_events
from backoffice.demo.acts import Act, Delivery, Person
from backoffice.demo.catalogue import currency_of
from backoffice.demo.period import DAY, midnight
from backoffice.demo.plans import Tier
from backoffice.demo.stripe_subscriptions import Line, Terms, discount, invoice, seconds, subscription
from credits.periods import month_after

TRIAL = 7 * DAY
PERCENT, DISCOUNT_LASTS = 20, 91 * DAY
# Stripe collects, and the first sweep of a day comes by.
COLLECTED_AFTER = timedelta(minutes=5)
# For so long a first payment may be made up for.
INCOMPLETE_FOR = timedelta(hours=23)
# What a pause makes of an invoice of its time, by its behaviour at Stripe.
UNCOLLECTED = {"void": ("void", "voided"), "mark_uncollectible": ("uncollectible", "marked_uncollectible")}


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """What happens at one moment, and the ``credits`` that come with it and lapse at ``lapses``."""

    at: datetime
    acts: Sequence[Act]
    credits: Decimal = Decimal(0)
    lapses: datetime | None = None


class Course:
    """A subscription of ``person`` to ``tier``, taken at ``taken``; each verb is a turn that it takes."""

    def __init__(
        self,
        rng: Random,
        person: Person,
        tier: Tier,
        taken: datetime,
        *,
        interval: str = "month",
        is_cheaper: bool = False,
    ) -> None:
        self.rng, self.person, self.tier, self.taken = rng, person, tier, taken
        self.begins = midnight(taken.date())
        self.invoices = 0
        self.pause: stripe_events.Object | None = None
        self.terms = Terms(
            person=person,
            subscription_id=ids.stripe_id(rng, "sub_"),
            item_id=ids.stripe_id(rng, "si_"),
            currency=currency_of(rng, person.country, among=("USD", "EUR")),
            interval=interval,
            started=taken,
        )
        if is_cheaper:
            until = self.begins + DISCOUNT_LASTS
            self.terms = replace(self.terms, discount=discount(ids.stripe_id(rng, "di_"), taken, until, PERCENT))

    def trial(self) -> Chapter:
        starts, ends = self.begins, self.begins + TRIAL
        told = self.told("trialing", starts, ends, trial_start=seconds(starts), trial_end=seconds(ends))
        line = Line(tier=self.tier, amount=0, starts=starts, ends=ends)
        acts = [
            self.delivery(self.taken, "customer.subscription.created", told),
            *self.paid(self.taken, [line], "subscription_create"),
        ]
        return Chapter(at=self.taken, acts=acts, credits=self.tier.trial, lapses=ends)

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

    def renewal_asked(self, starts: datetime, ends: datetime) -> stripe_events.Object:
        """The invoice of a period before anybody has paid it."""
        return self.asked(starts + COLLECTED_AFTER, starts, ends, "subscription_cycle")

    def past_due(self, unpaid: stripe_events.Object, starts: datetime, ends: datetime) -> Chapter:
        at = starts + COLLECTED_AFTER
        acts = [
            self.delivery(at, "invoice.payment_failed", unpaid),
            self.delivery(at, "customer.subscription.updated", self.told("past_due", starts, ends)),
        ]
        return Chapter(at=at, acts=acts)

    def unpaid(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        """Stripe has given up to try the cards."""
        return self.changed(at, starts, ends, status="unpaid")

    def written_off(self, unpaid: stripe_events.Object, at: datetime) -> Chapter:
        """It is over for want of money, and its last invoice with it."""
        told = self.closed(unpaid, at, "mark_uncollectible")
        return Chapter(at=at, acts=[*self.ended(at, "canceled").acts, told])

    def incomplete(self, starts: datetime, ends: datetime) -> Iterator[Chapter]:
        """No card pays for the first period in the time that there is for it."""
        at = self.taken
        unpaid = self.asked(at, starts, ends, "subscription_create")
        acts = [
            self.delivery(at, "customer.subscription.created", self.told("incomplete", starts, ends)),
            self.delivery(at, "invoice.payment_failed", unpaid),
        ]
        yield Chapter(at=at, acts=acts)
        at += INCOMPLETE_FOR
        told = self.told("incomplete_expired", starts, ends, ended_at=seconds(at))
        acts = [self.delivery(at, "customer.subscription.updated", told), self.closed(unpaid, at, "void")]
        yield Chapter(at=at, acts=acts)

    def upgraded(self, goal: Tier, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        """The rest of the month by the larger plan: what is left of the old one is given back."""
        left = (ends - at) / (ends - starts)
        lines = [
            Line(tier=tier, amount=sign * round(self.price(tier) * left), starts=at, ends=ends, is_proration=True)
            for tier, sign in ((self.tier, -1), (goal, 1))
        ]
        more = goal.credits - self.tier.credits
        self.tier = goal
        acts = [
            self.delivery(at, "customer.subscription.updated", self.told("active", starts, ends)),
            *self.paid(at, lines, "subscription_update"),
        ]
        return Chapter(at=at, acts=acts, credits=more, lapses=ends)

    def leaving(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        return self.changed(
            at, starts, ends, cancel_at_period_end=True, cancel_at=seconds(ends), canceled_at=seconds(at)
        )

    def paused(
        self, at: datetime, starts: datetime, ends: datetime, behavior: str, resumes: datetime | None = None
    ) -> Chapter:
        """From now on it is not paid for, until it is resumed."""
        self.pause = {"behavior": behavior, "resumes_at": seconds(resumes) if resumes else None}
        return self.changed(at, starts, ends)

    def resumed(self, at: datetime, starts: datetime, ends: datetime) -> Chapter:
        self.pause = None
        return self.changed(at, starts, ends)

    def skipped(self, starts: datetime, ends: datetime) -> Chapter:
        """A period within a pause: nobody pays for it, and it gives nothing."""
        at, behavior = starts + COLLECTED_AFTER, (self.pause or {})["behavior"]
        asked = {**self.renewal_asked(starts, ends), "attempted": False, "attempt_count": 0}
        told = self.delivery(at, "customer.subscription.updated", self.told("active", starts, ends))
        return Chapter(at=at, acts=[told, self.closed(asked, at, behavior)])

    def ended(self, at: datetime, status: str) -> Chapter:
        told = self.told(status, at, at, ended_at=seconds(at), canceled_at=seconds(at))
        return Chapter(at=at, acts=[self.delivery(at, "customer.subscription.deleted", told)])

    def changed(
        self, at: datetime, starts: datetime, ends: datetime, *, status: str = "active", **fields: object
    ) -> Chapter:
        told = self.told(status, starts, ends, **fields)
        return Chapter(at=at, acts=[self.delivery(at, "customer.subscription.updated", told)])

    def closed(self, asked: stripe_events.Object, at: datetime, behavior: str) -> Delivery:
        """An invoice that nobody is asked to pay any more."""
        status, verb = UNCOLLECTED[behavior]
        transitions = asked["status_transitions"] | {f"{verb}_at": seconds(at)}
        return self.delivery(at, f"invoice.{verb}", {**asked, "status": status, "status_transitions": transitions})

    def price(self, tier: Tier) -> int:
        return tier.prices[self.terms.currency, self.terms.interval]

    def told(self, status: str, starts: datetime, ends: datetime, **fields: object) -> stripe_events.Object:
        fields = {"pause_collection": self.pause, **fields}
        return subscription(self.terms, self.tier, status=status, starts=starts, ends=ends, **fields)

    def asked(self, at: datetime, starts: datetime, ends: datetime, reason: str) -> stripe_events.Object:
        line = Line(tier=self.tier, amount=self.price(self.tier), starts=starts, ends=ends)
        return self.invoice(at, [line], reason, status="open")

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


def months(since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The months from ``since`` on, without an end."""
    # By UTC whatever the zone of reports is: all that lapses in the story lapses at its midnights.
    starts = since
    for number in count(1):
        ends = month_after(since, number, ZoneInfo("UTC")).astimezone(UTC)
        yield starts, ends
        starts = ends
