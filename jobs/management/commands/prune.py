from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from backoffice.lib.progress import Bar
from backoffice.lib.retention import Retention
from jobs import services
from jobs.services.pruning import Pruned


class Command(BaseCommand):
    help = (
        "Remove what is kept for a time only, as the settings RETENTION_... say: what customers did, addresses, the "
        "content of messages, what jobs were done to, raw Stripe bodies; and sessions that are over. Runs every night "
        "by itself; safe to stop and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what would be removed.")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        waiting = services.to_prune()
        if dry_run:
            for found in waiting:
                self._say(found, "would be removed")
            return
        self._totals = {found.retention.key: found.count for found in waiting}
        self._bar, self._shown = Bar(self.stdout, ""), ""
        pruned = services.prune(self._show)
        self._bar.end()
        for done in pruned:
            self._say(done, "removed")
        call_command("clearsessions")

    def _say(self, pruned: Pruned, what: str) -> None:
        if pruned.before is None:
            self.stdout.write(f"{pruned.retention.label}: kept for ever ({pruned.retention.setting}=0)")
        else:
            since = f"older than {pruned.before:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{pruned.retention.label}: {pruned.count:,} {what}, {since}")

    def _show(self, retention: Retention, removed: int) -> None:
        if retention.key != self._shown:
            self._bar.end()
            self._bar, self._shown = Bar(self.stdout, f"{retention.key:<14}"), retention.key
        self._bar.show(removed, self._totals[retention.key])
