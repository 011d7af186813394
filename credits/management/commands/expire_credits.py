from typing import Any

from django.core.management.base import BaseCommand

from credits import services


class Command(BaseCommand):
    help = "Book every lot that has lapsed and expire due holds. Runs every five minutes by itself; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        booked = services.sweep_by_hand(name="expire_credits", run=services.expire_credits)
        self.stdout.write(f"ok: {booked} lots and holds expired")
