"""manage.py stripe_sync: read Stripe's lists and book what no delivery told of."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.errors import StripeCallFailed
from billing.resources import RESOURCES
from billing.services.syncing import Ended, SyncRefused, Watch, sync
from billing.stripe_lists import Reader


class Command(BaseCommand):
    help = (
        "Read Stripe's lists and apply what no delivery told of, by the same rules. Safe to run at any time and again: "
        "nothing is booked twice, and a run that was stopped goes on where it was. Exit code 1 when something could "
        "not be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=_day, metavar="YYYY-MM-DD", help="leave out what was created before that day (UTC)"
        )
        parser.add_argument(
            "--only", type=_keys, default=(), metavar="LIST,LIST", help=f"read these alone: {', '.join(RESOURCES)}"
        )

    def handle(self, *, since: datetime | None, only: tuple[str, ...], **options: Any) -> None:
        try:
            ended = sync(since=since, only=only, reader=Reader(say=self._tell), watch=Watch(ended=self._tell))
        except (SyncRefused, StripeCallFailed) as error:
            raise CommandError(str(error)) from error
        if failed := [one.label for one in ended if one.error]:
            raise CommandError(f"Not read to the end: {', '.join(failed)}.")

    def _tell(self, told: str | Ended) -> None:
        self.stdout.write(str(told))


def _day(text: str) -> datetime:
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time.min, UTC)  # noqa: DTZ007
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-01-31") from error


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    if unknown := [key for key in keys if key not in RESOURCES]:
        raise ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(RESOURCES)}")
    return keys
