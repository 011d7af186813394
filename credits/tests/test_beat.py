"""A day of beat in steps of five minutes: each period begun once, each lapse booked once, on days that clocks move."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django.conf import settings as project

from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditHold, CreditTransaction, IntegrityRun
from credits.tests.faults.acts import give
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

STEP = timedelta(minutes=5)
# Days on which clocks are moved there, and one on which none are.
DAYS = [
    ("UTC", 2026, 3, 29),
    ("Europe/Berlin", 2026, 3, 29),
    ("America/New_York", 2026, 11, 1),
    ("Australia/Lord_Howe", 2026, 10, 4),
]


def tasks_of_the_ledger():
    """The scheduled tasks of this app: name, then whether it is due at a moment."""
    for entry in project.CELERY_BEAT_SCHEDULE.values():
        if entry["task"].startswith("credits."):
            module, name = entry["task"].rsplit(".", 1)
            yield getattr(import_module(module), name), entry["schedule"]


def is_due(schedule, moment, since):
    if isinstance(schedule, crontab):
        return moment.hour in schedule.hour and moment.minute in schedule.minute
    return int((moment - since).total_seconds()) % int(schedule) == 0


def run_beat(starts_at, ends_at):
    tasks, moment = list(tasks_of_the_ledger()), starts_at
    assert len(tasks) == 6
    while moment < ends_at:
        with clock.at(moment):
            for task, schedule in tasks:
                if is_due(schedule, moment, starts_at):
                    task()
        moment += STEP


@pytest.mark.parametrize(("zone", "year", "month", "day"), DAYS)
def test_in_a_day_of_beat_allowances_are_reset_and_credits_and_holds_expire_once(settings, zone, year, month, day):
    settings.REPORTING_TIME_ZONE = zone
    here = ZoneInfo(zone)
    midnight = datetime(year, month, day, tzinfo=here)
    starts_at = midnight.astimezone(UTC)
    ends_at = (midnight + timedelta(days=1)).astimezone(UTC)
    # Resets through the night in which clocks are moved: also at wall times that come twice or never. From January on
    # the anchor's day is one that the month has.
    first = midnight.replace(month=1) if month < 6 else midnight.replace(month=month - 1)
    anchors = [
        first.replace(hour=hour, minute=minute)
        for hour, minute in [(0, 0), (1, 15), (2, 0), (2, 30), (3, 0), (12, 0), (23, 55)]
    ]
    users = [CustomerFactory().pk for _ in anchors]
    for user_id, anchor in zip(users, anchors, strict=True):
        with clock.at(anchor):
            services.set_allowance(user_id=user_id, amount=Decimal(100), period_start=anchor)
    # Resets up to the day before have happened; what is due in between is left for later.
    with clock.at(starts_at - timedelta(hours=1)):
        services.expire_credits()
        services.reset_allowances()
    with clock.at(starts_at - timedelta(hours=1)):
        for number, user_id in enumerate(users):
            give(user_id, 10, f"lapses{user_id}", expires_at=starts_at + timedelta(hours=1 + 3 * number))
            services.place_hold(
                user_id=user_id,
                amount=Decimal(5),
                idempotency_key=f"test:hold{user_id}",
                expires_in=timedelta(hours=2 + 3 * number),
            )

    run_beat(starts_at, ends_at)

    grants = CreditTransaction.objects.filter(kind=TransactionKind.ALLOWANCE, created_at__gte=starts_at)
    assert sorted(grants.values_list("account_id", flat=True)) == users
    assert not CreditAccount.objects.filter(next_reset_at__lt=ends_at).exists()
    gifts_lapsed = CreditTransaction.objects.filter(kind=TransactionKind.EXPIRY, draws__lot__source_kind="gift")
    assert gifts_lapsed.count() == len(users)
    assert set(CreditHold.objects.values_list("state", flat=True)) == {"expired"}
    run = IntegrityRun.objects.get()
    assert (run.source, run.faults) == ("beat", 0)
    assert services.verify_ledger(source="command").faults == 0
