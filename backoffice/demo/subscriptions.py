"""Subscriptions: when somebody takes a plan, and what becomes of it by chance."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

from backoffice.demo import endings, stripe_events
from backoffice.demo.acts import Act, Delivery, Person, Renewal
from backoffice.demo.courses import COLLECTED_AFTER, TRIAL, Chapter, Course, months
from backoffice.demo.period import DAY, Period
from backoffice.demo.plans import TIERS, Tier, smaller
from backoffice.demo.stripe_subscriptions import seconds
from credits.periods import month_after

# How often each happens to a subscription.
UPGRADES, TRIALS, CONVERTS, YEARLY = 0.2, 0.25, 0.7, 0.1
DISCOUNTS, LEAVES, FAILS, RECOVERS, PAUSES, DOWNGRADES = 0.15, 0.22, 0.2, 0.5, 0.06, 0.12
# The company sells plans since then; who was a customer before takes one in the weeks that follow.
SOLD_FOR, TAKEN_WITHIN = 130 * DAY, 40 * DAY
RECOVERED_AFTER, WRITTEN_OFF_AFTER = 3 * DAY, 14 * DAY


def chapters(rng: Random, person: Person, period: Period, *, ending: str = "") -> Iterator[Chapter]:
    """What becomes of the plan of ``person`` within the story, from the day on which they take it.

    ``ending`` is one of ``endings.ENDINGS``, what the subscription is as the story ends; chance unless told.
    """
    if (tier := TIERS.get(person.plan)) is None:
        return
    told = endings.chapters(rng, person, tier, period, ending) if ending else _by_chance(rng, person, tier, period)
    yield from (chapter for chapter in told if chapter.at < period.end)


def cut_short(rng: Random, acts: Iterable[Act], at: datetime) -> Iterator[Delivery]:
    """What Stripe delivers at ``at`` when the product ends the subscription that these acts of one person leave."""
    bodies = [json.loads(act.body) for act in acts if isinstance(act, Delivery)]
    told = [body["data"]["object"] for body in bodies if body["type"].startswith("customer.subscription.")]
    if not told or told[-1]["ended_at"]:
        return
    over = told[-1] | {"status": "canceled", "ended_at": seconds(at), "canceled_at": seconds(at)}
    body = stripe_events.event(rng, at, "customer.subscription.deleted", over)
    yield Delivery(at=at, body=body, person_id=over["metadata"]["user_id"])


def _by_chance(rng: Random, person: Person, tier: Tier, period: Period) -> Iterator[Chapter]:
    wants = max(person.joined + DAY, period.end - SOLD_FOR)
    taken = wants + timedelta(seconds=rng.randrange(int(TAKEN_WITHIN.total_seconds())))
    if taken >= period.end:
        return
    is_yearly = rng.random() < YEARLY
    has_trial = rng.random() < TRIALS and not is_yearly
    upgrades = rng.random() < UPGRADES and not is_yearly and smaller(tier) != tier
    course = Course(
        rng,
        person,
        smaller(tier) if upgrades else tier,
        taken,
        interval="year" if is_yearly else "month",
        is_cheaper=rng.random() < DISCOUNTS and not has_trial,
    )
    if has_trial:
        yield course.trial()
        if rng.random() >= CONVERTS:
            yield course.ended(course.begins + TRIAL, "canceled")
            return
    yield from _year(course, period) if is_yearly else _months(course, period, tier, has_trial=has_trial)


def _year(course: Course, period: Period) -> Iterator[Chapter]:
    (starts, ends), *others = _until(period.end, months(course.begins))
    until = month_after(course.begins, 12, ZoneInfo("UTC")).astimezone(UTC)
    yield replace(course.begun(starts, until), lapses=ends)
    for starts, ends in others:
        renewal = Renewal(at=starts + COLLECTED_AFTER, person_id=course.person.external_id)
        yield Chapter(at=renewal.at, acts=[renewal], credits=course.tier.credits, lapses=ends)


def _months(course: Course, period: Period, goal: Tier, *, has_trial: bool) -> Iterator[Chapter]:
    rng = course.rng
    upgraded = course.taken + rng.randint(5, 40) * DAY
    fate, last = rng.random(), rng.randint(1, 3)
    begins = course.begins + (TRIAL if has_trial else 0 * DAY)
    for number, (starts, ends) in enumerate(_until(period.end, months(begins)), start=1):
        middle = starts + rng.randint(4, 20) * DAY
        is_last = number == last
        if number > 1 and is_last and LEAVES <= fate < LEAVES + FAILS:
            unpaid = course.renewal_asked(starts, ends)
            yield course.past_due(unpaid, starts, ends)
            if rng.random() >= RECOVERS:
                yield course.written_off(unpaid, starts + WRITTEN_OFF_AFTER)
                return
            yield course.recovered(unpaid, starts + RECOVERED_AFTER, starts, ends)
            continue
        if number > 1 and is_last and LEAVES + FAILS <= fate < LEAVES + FAILS + DOWNGRADES:
            course.tier = goal = smaller(course.tier)
        if course.pause:
            yield course.skipped(starts, ends)
            continue
        yield course.begun(starts, ends) if number == 1 and not has_trial else course.renewed(starts, ends)
        if course.tier != goal and starts < upgraded < ends:
            yield course.upgraded(goal, upgraded, starts, ends)
        if is_last and fate < LEAVES:
            yield course.leaving(middle, starts, ends)
            yield course.ended(ends, "canceled")
            return
        if is_last and fate > 1 - PAUSES:
            yield course.paused(middle, starts, ends, "void")


def _until(end: datetime, periods: Iterator[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    return takewhile(lambda period: period[0] < end, periods)
