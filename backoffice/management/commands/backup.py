"""The whole database in one file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import services as audit
from audit.actions import Action
from backoffice.lib import backups
from backoffice.lib.progress import Bar

SIZES = """
SELECT c.relname, pg_table_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
"""


class Command(BaseCommand):
    help = (
        "Write the whole database to FILE (pg_dump's custom format, of one moment), readable by you alone, and its "
        "SHA-256 to FILE.sha256. Run it as the owner (DATABASE_OWNER_URL). Not in it: the .env file with SECRET_KEY, "
        "without which second factors cannot be read, and the results of jobs, which last a week anyway."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Where to; it must not be there yet.")

    def handle(self, *, file: Path, **options: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("Set DATABASE_OWNER_URL: the owner of the tables alone can read all of them.")
        owner = connections["owner"]
        file = file.absolute()
        sizes = _sizes(owner)
        bar, begun = Bar(self.stdout, "backup"), [0]

        def on_table(name: str) -> None:
            bar.show(begun[0], sum(sizes.values()))
            begun[0] += sizes.get(name, 0)

        target = backups.Target(owner.settings_dict, str(owner.settings_dict["NAME"]))
        version = owner.pg_version // 10_000  # type: ignore[attr-defined]
        try:
            checksum = backups.dump(target, file, server_version=version, on_table=on_table)
        except backups.BackupError as error:
            bar.end()
            raise CommandError(str(error)) from error
        bar.show(1, 1)
        _record(file, checksum)
        self.stdout.write(f"ok: {file}, {file.stat().st_size:,} bytes, {len(sizes)} tables, sha256 {checksum}")


def _sizes(owner: BaseDatabaseWrapper) -> dict[str, int]:
    with owner.cursor() as cursor:
        cursor.execute(SIZES)
        return dict(cursor.fetchall())


@transaction.atomic(using="owner")
def _record(file: Path, checksum: str) -> None:
    audit.record(
        action=Action.BACKUP_MADE,
        actor=None,
        resource=audit.Resource("backup", checksum[:16], "backup"),
        new_values={"file": file.name, "bytes": file.stat().st_size, "sha256": checksum},
        using="owner",
    )
