from typing import Any

from django.core.management.base import BaseCommand

from credits import services


class Command(BaseCommand):
    help = "Begin the allowance periods that are due. Runs every five minutes by itself; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"ok: {services.reset_allowances()} allowances granted")
