"""A company to look at, made up from a seed."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.models import AuditEntry
from backoffice.demo import company
from backoffice.demo.errors import DemoError
from backoffice.demo.period import Period
from backoffice.demo.play import play
from backoffice.demo.story import tell
from backoffice.lib import clock, embedded
from billing.models import Payment, StripeEvent
from credits.models import CreditTransaction

MOST_USERS, MOST_DAYS = 100_000, 3650


class Command(BaseCommand):
    help = (
        "Fill an empty back office with a company that sells AI generations for credits: customers, staff, packs, "
        "purchases as Stripe tells them, spending, gifts, corrections, activity. The same seed, users, days and last "
        "day make the same company; only the password, of admin@example.com and of all other staff, is random, and "
        "kept in the data directory under secrets/demo-password. Refused in production and where there are customers "
        "already."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=_whole(MOST_USERS), default=300, help="Customers; 300 unless told.")
        parser.add_argument("--days", type=_whole(MOST_DAYS), default=180, help="Days of history; 180 unless told.")
        parser.add_argument("--seed", type=int, default=1, help="Another number, another company; 1 unless told.")
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            help="YYYY-MM-DD: history ends as this day begins, by UTC; today unless told.",
        )

    def handle(self, *, users: int, days: int, seed: int, until: date | None, **options: Any) -> None:
        period = Period(until or clock.now().date(), days)
        _refuse(period)
        story = tell(users=users, seed=seed, period=period)
        try:
            rejected = play(story, password=_password, progress=self._show)
        except DemoError as error:
            raise CommandError(f"{error} {_how_to_start_anew()}") from error
        self._report(users, days, seed, rejected)

    def _show(self, played: int, days: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\rdemo company: {played * 100 // days}%", ending="\n" if played == days else "")
            self.stdout.flush()

    def _report(self, users: int, days: int, seed: int, rejected: int) -> None:
        counts = {
            "ledger entries": CreditTransaction.objects.count(),
            "payments": Payment.objects.count(),
            "Stripe events": StripeEvent.objects.count(),
            "audit entries": AuditEntry.objects.count(),
            "spends refused for want of credits": rejected,
        }
        told = ", ".join(f"{number} {what}" for what, number in counts.items())
        self.stdout.write(f"ok: {users} customers over {days} days from seed {seed}; {told}")


def _password() -> str:
    return embedded.secret(settings.DATA_DIR, "demo-password")


def _refuse(period: Period) -> None:
    if settings.PRODUCTION or settings.STRIPE_LIVEMODE:
        raise CommandError("A demo company has no place in production: nothing was changed.")
    if period.end > clock.now():
        raise CommandError("--until lies in the future, and a history cannot: nothing was changed.")
    if found := company.whats_here():
        raise CommandError(f"{found}: nothing was changed. {_how_to_start_anew()}")


def _how_to_start_anew() -> str:
    return (
        f"To start anew, stop everything, delete {settings.DATA_DIR} (or drop a database of your own and make it "
        "again), then run setup_database, migrate and seed_demo."
    )


def _whole(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise ArgumentTypeError(f"a whole number from 1 to {most:,}")
        return int(text)

    return read
