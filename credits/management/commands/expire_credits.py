from typing import Any

from django.core.management.base import BaseCommand

from credits import services


class Command(BaseCommand):
    help = "Book every lot that has lapsed and expire due holds. Runs every five minutes by itself; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"ok: {services.expire_credits()} lots and holds expired")
