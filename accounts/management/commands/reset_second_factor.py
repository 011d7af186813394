from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import selectors
from accounts.services import second_factors


class Command(BaseCommand):
    help = (
        "Take the second factors of a member of staff off and end their sessions: for the super admin who lost all of "
        "theirs and has no colleague who could do it. They set up a new one when they log in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        member = selectors.staff_by_email(email.replace("\x00", ""))
        if member is None:
            raise CommandError(f"There is no member of staff with the address {email}.")
        count = second_factors.reset_second_factor(member=member, actor=None, reason="manage.py reset_second_factor")
        self.stdout.write(f"ok: {count} factors of {member} are gone, recovery codes included")
