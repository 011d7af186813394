"""A backup back into a database, and the proof that it is whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction
from psycopg import sql

from audit import services as audit
from audit.actions import Action
from backoffice.lib import backups
from backoffice.lib.migrations import unknown_migrations

RESTORED = "restored"
ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_READONLY_URL")
# In this order: what roles may is told of the columns of this release.
PREPARE = (("migrate", "--verbosity", "0"), ("setup_database",))
PROVE = (("verify_ledger",), ("verify_figures",), ("verify_audit",))


class Command(BaseCommand):
    help = (
        "Restore the backup FILE, whose checksum must be the one in FILE.sha256, into the database of "
        "DATABASE_OWNER_URL if that is empty, else into a new one (--into). The tables are brought to this release, "
        "roles and their rights are made anew, and verify_ledger, verify_figures and verify_audit run on what "
        "was restored: exits with 1 if one of them finds something. Restore what you trust: it runs as the owner."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="What `backup` wrote.")
        parser.add_argument("--into", metavar="NEW_DATABASE", help="Make this database on the same server, and use it.")

    def handle(self, *, file: Path, into: str | None, **options: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("Set DATABASE_OWNER_URL: what is restored belongs to the owner of the tables.")
        try:
            checksum = backups.check(file)
            self._load(file, into)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        name = into or str(connections["owner"].settings_dict["NAME"])
        _open(name)
        try:
            self._finish(name, file, checksum)
        finally:
            connections[RESTORED].close()

    def _load(self, file: Path, into: str | None) -> None:
        owner = connections["owner"]
        name = into or str(owner.settings_dict["NAME"])
        if into:
            _create(into)
        elif owner.introspection.table_names():
            raise CommandError(f"The database {name} is not empty: nothing was changed. Name a new one with --into.")
        self.stdout.write(f"The checksum fits. Restoring into {name}.")
        self.stdout.flush()
        version = owner.pg_version // 10_000  # type: ignore[attr-defined]
        try:
            backups.load(backups.Target(owner.settings_dict, name), file, server_version=version)
        except backups.BackupError:
            if into:
                _drop(into)
            raise

    def _finish(self, name: str, file: Path, checksum: str) -> None:
        if unknown := unknown_migrations(connections[RESTORED]):
            raise CommandError(
                f"It was made by a later release, which knows {unknown[0]}: it is in {name}, and that release reads it."
            )
        for command in PREPARE:
            if code := self._manage(name, *command):
                raise CommandError(f"{command[0]} failed on the database {name} (exit code {code}).")
        _record(file, checksum)
        failed = [command[0] for command in PROVE if self._manage(name, *command)]
        if failed:
            found = " and ".join(failed)
            raise CommandError(f"Restored into {name}, and not sound: {found} found what is named above.")
        self.stdout.write(f"ok: restored into {name}; the ledger, the figures and the audit log are proven.")

    def _manage(self, name: str, *command: str) -> int:
        """Run a command of ours on the restored database, as somebody would by hand."""
        environment = os.environ | {
            variable: _on(os.environ[variable], name) for variable in ADDRESSES if os.environ.get(variable)
        }
        self.stdout.write(f"{command[0]}:")
        self.stdout.flush()
        return subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *command], cwd=settings.BASE_DIR, env=environment, check=False
        ).returncode


def _on(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _create(name: str) -> None:
    owner = connections["owner"]
    try:
        with owner.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except Exception as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.errors.DuplicateDatabase):
            raise CommandError(f"There is a database {name} already: nothing was changed.") from error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise CommandError("The owner's role may not make databases: let it (CREATEDB), or make one.") from error
        raise


def _drop(name: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _open(name: str) -> None:
    """A connection of the owner's to what was restored, beside those in the settings."""
    connections.databases[RESTORED] = {**connections.databases["owner"], "NAME": name}


@transaction.atomic(using=RESTORED)
def _record(file: Path, checksum: str) -> None:
    audit.record(
        action=Action.BACKUP_RESTORED,
        actor=None,
        resource=audit.Resource("backup", checksum[:16], "backup"),
        new_values={"file": file.name, "sha256": checksum},
        using=RESTORED,
    )
