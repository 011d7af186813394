from typing import Any

from django.core.management.base import BaseCommand

from credits import services


class Command(BaseCommand):
    help = "Begin the allowance periods that are due. Runs every five minutes by itself; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        granted = services.sweep_by_hand(name="reset_allowances", run=services.reset_allowances)
        self.stdout.write(f"ok: {granted} allowances granted")
