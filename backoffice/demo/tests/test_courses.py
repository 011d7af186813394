"""Subscriptions of the story by themselves: what Stripe tells of each, month by month, and how it stands at last."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random

import pytest

from backoffice.demo import acts, courses, endings, people, subscriptions
from backoffice.demo.period import DAY, Period, midnight
from backoffice.demo.plans import TIERS
from backoffice.demo.story import tell

PERIOD = Period(date(2026, 3, 1), 60)
RESUMES = int((PERIOD.end + endings.RESUMES_AFTER_THE_END).timestamp())
SOMEONE = next(act.person for act in tell(users=1, seed=3, period=PERIOD).acts if isinstance(act, acts.SignUp))


def chapters_of(plan: str, *, days: int = 59, seed: int = 1, ending: str = "") -> list[subscriptions.Chapter]:
    person = replace(SOMEONE, plan=plan, joined=PERIOD.end - days * DAY)
    return list(subscriptions.chapters(Random(seed), person, PERIOD, ending=ending))


def types_of(chapter: subscriptions.Chapter) -> list[str]:
    return [json.loads(act.body)["type"] for act in chapter.acts if isinstance(act, acts.Delivery)]


def subjects_of(chapters: list[subscriptions.Chapter], kind: str) -> list[dict]:
    told = [json.loads(act.body)["data"]["object"] for chapter in chapters for act in chapter.acts]
    return [subject for subject in told if subject["object"] == kind]


def period_end(told: dict) -> int:
    """Where either version of Stripe's shapes has it."""
    return told.get("current_period_end") or told["items"]["data"][0]["current_period_end"]


def subject_of(chapter: subscriptions.Chapter, kind: str) -> dict:
    bodies = [json.loads(act.body) for act in chapter.acts if isinstance(act, acts.Delivery)]
    return next(body["data"]["object"] for body in bodies if body["data"]["object"]["object"] == kind)


@pytest.fixture
def plain(monkeypatch):
    """Nothing befalls a subscription."""
    for name in ("UPGRADES", "TRIALS", "YEARLY", "DISCOUNTS", "LEAVES", "FAILS", "PAUSES", "DOWNGRADES"):
        monkeypatch.setattr(subscriptions, name, 0)
    return monkeypatch


def test_each_month_of_a_plan_is_paid_for_and_grants_until_the_same_day_of_the_next(plain):
    first, *others = chapters_of("starter")
    assert types_of(first) == ["customer.subscription.created", "invoice.paid", "payment_intent.succeeded"]
    assert others
    for before, chapter in pairwise([first, *others]):
        assert chapter.at == before.lapses + courses.COLLECTED_AFTER
    for chapter in (first, *others):
        assert chapter.credits == TIERS["starter"].credits
        assert chapter.lapses.time() == midnight(chapter.lapses.date()).time()
        assert subject_of(chapter, "invoice")["total"] == TIERS["starter"].prices["USD", "month"]


def test_an_upgrade_pays_and_grants_the_difference_within_the_month(plain):
    plain.setattr(subscriptions, "UPGRADES", 1)
    found = [chapters_of("pro", seed=seed) for seed in range(20)]
    (first, upgrade), *_ = [
        pair
        for chapters in found
        for pair in pairwise(chapters)
        if subject_of(pair[1], "invoice")["billing_reason"] == "subscription_update"
    ]
    assert first.credits + upgrade.credits == TIERS["pro"].credits
    assert first.at < upgrade.at < upgrade.lapses == first.lapses
    assert 0 < subject_of(upgrade, "invoice")["total"] < TIERS["pro"].prices["USD", "month"]


def test_a_year_is_paid_for_at_once_and_grants_month_by_month(plain):
    plain.setattr(subscriptions, "YEARLY", 1)
    first, *others = chapters_of("pro")
    told = subject_of(first, "invoice")
    assert told["total"] == TIERS["pro"].prices[told["currency"].upper(), "year"]
    assert others
    assert all(isinstance(act, acts.Renewal) for chapter in others for act in chapter.acts)


@pytest.mark.parametrize(
    ("ending", "status", "fields"),
    [
        ("trialing", "trialing", {}),
        ("leaving", "active", {"cancel_at_period_end": True}),
        ("past_due", "past_due", {}),
        ("unpaid", "unpaid", {}),
        ("paused", "active", {"pause_collection": {"behavior": "void", "resumes_at": None}}),
        ("paused_until", "active", {"pause_collection": {"behavior": "mark_uncollectible", "resumes_at": RESUMES}}),
        ("resumed", "active", {"pause_collection": None}),
        ("expired", "incomplete_expired", {}),
        ("returned", "active", {"cancel_at_period_end": False}),
        ("downgraded", "active", {}),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_an_ending_that_is_told_is_what_the_subscription_is_at_last(ending, status, fields, seed):
    told = subjects_of(chapters_of("pro", ending=ending, seed=seed), "subscription")[-1]
    assert told["status"] == status
    assert told["cancel_at_period_end"] is fields.get("cancel_at_period_end", False)
    assert told["pause_collection"] == fields.get("pause_collection")


@pytest.mark.parametrize("users", [70, 300])
def test_every_ending_is_dealt_to_somebody(users):
    roles = people.cast(Random(1), users, Period(date(2026, 3, 1), 120))
    assert {role.ending for role in roles} == {"", *endings.ENDINGS}


def test_who_resumed_was_paused_before_and_has_paid_again():
    told = subjects_of(chapters_of("pro", ending="resumed"), "subscription")
    assert [bool(each["pause_collection"]) for each in told] == [False, True, False, False]
    assert [each["status"] for each in subjects_of(chapters_of("pro", ending="resumed"), "invoice")] == ["paid"] * 2


def test_a_pause_lets_months_pass_that_nobody_pays_for_and_that_give_nothing():
    for ending, status in (("paused", "void"), ("paused_until", "uncollectible")):
        chapters = chapters_of("pro", ending=ending)
        assert [each["status"] for each in subjects_of(chapters, "invoice")] == ["paid", status]
        assert [bool(chapter.credits) for chapter in chapters] == [True, False, False]


def test_who_returned_has_a_subscription_that_is_over_and_a_new_one_for_less():
    told = subjects_of(chapters_of("pro", ending="returned"), "subscription")
    before, after = {each["id"]: each for each in told}.values()
    assert (before["status"], after["status"]) == ("canceled", "active")
    assert before["ended_at"] < after["created"]
    assert after["discount"]["coupon"]["percent_off"] > 0


def test_who_downgraded_pays_less_from_the_next_month_on():
    before, after = subjects_of(chapters_of("pro", ending="downgraded"), "invoice")
    assert 0 < after["total"] < before["total"]


def test_a_last_invoice_that_no_card_pays_is_written_off_with_its_subscription(plain):
    plain.setattr(subscriptions, "FAILS", 1)
    plain.setattr(subscriptions, "RECOVERS", 0)
    found = [chapters_of("pro", days=125, seed=seed) for seed in range(10)]
    ended = [chapters[-1] for chapters in found if "customer.subscription.deleted" in types_of(chapters[-1])]
    assert ended
    assert all(subject_of(chapter, "invoice")["status"] == "uncollectible" for chapter in ended)


@pytest.mark.parametrize("seed", range(6))
def test_no_subscription_that_goes_on_should_have_been_renewed_before_the_story_ends(seed, monkeypatch):
    monkeypatch.setattr(subscriptions, "PAUSES", 0.4)
    monkeypatch.setattr(people, "HABITS", [replace(people.HEAVY, plans={"pro": 1})])
    monkeypatch.setattr(people, "SHARES", [1])
    period = Period(date(2026, 3, 1), 120)
    told = [
        json.loads(act.body) for act in tell(users=60, seed=seed, period=period).acts if isinstance(act, acts.Delivery)
    ]
    last = {each["id"]: each for body in told if (each := body["data"]["object"])["object"] == "subscription"}
    ends = {each["id"]: period_end(each) for each in last.values() if not each["ended_at"]}
    assert len(ends) > 20
    assert {stripe_id for stripe_id, end in ends.items() if end < period.end.timestamp()} == set()


def test_no_plan_has_no_subscription():
    assert not chapters_of("free")
