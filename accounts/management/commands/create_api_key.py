from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import KeyRefused
from accounts.models import StaffMember
from accounts.services import create_api_key


class Command(BaseCommand):
    help = "Make an API key and print it, this once, alone on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        # What is missing or unknown is refused by the service, as all bad input is: exit code 1.
        parser.add_argument("--name", default="", help="which program will use it")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="ingest for the product; read, admin or both for the staff side",
        )
        parser.add_argument("--staff", metavar="EMAIL", help="in whose name a key with read or admin acts")

    def handle(self, *args: Any, name: str, scope: list[str], staff: str | None, **options: Any) -> None:
        try:
            made = create_api_key(
                name=name,
                scopes=scope,
                staff=_member(staff) if staff else None,
                actor=None,
                reason="manage.py create_api_key",
            )
        except KeyRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The key of {made.key.name}. It is shown this once:")
        self.stdout.write(made.secret)


def _member(email: str) -> StaffMember:
    member = StaffMember.objects.with_email(email.replace("\x00", "")).first()
    if member is None:
        raise CommandError(f"There is no member of staff with the address {email}.")
    return member
