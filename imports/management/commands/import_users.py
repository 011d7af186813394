"""manage.py import_users: customers from a CSV file, all of them or none."""

from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backoffice.lib.progress import Bar
from imports import services
from imports.columns import ALL
from imports.errors import FileFaulty, ImportRefused
from imports.models import CustomerImport, Encoding
from imports.report import Report


class Command(BaseCommand):
    help = (
        "Import customers from a CSV file whose first line names the columns: all of them in one transaction, or none. "
        "Safe to run again: a file that was imported does nothing, and a customer has one opening balance. "
        f"Columns: {', '.join(column.name for column in ALL)}. Exit code 1 when nothing was imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="look through the file and write nothing")
        parser.add_argument("--update", action="store_true", help="change customers that are known, not refuse them")
        parser.add_argument(
            "--ignore-unknown-columns", action="store_true", help="leave columns out that are not known"
        )
        parser.add_argument(
            "--encoding", choices=Encoding.values, default="", help="found out from the file unless told"
        )
        parser.add_argument("--errors", type=Path, metavar="ERRORS.csv", help="write all errors here")
        parser.add_argument("--reason", default="import_users", help="why, for the audit log")

    def handle(self, *, file: Path, dry_run: bool, errors: Path | None, **options: Any) -> None:
        try:
            with file.open("rb") as opened, transaction.atomic() if dry_run else nullcontext():
                given = services.keep_file(
                    file=File(opened),
                    name=file.name,
                    actor=None,
                    reason=options["reason"],
                    encoding=options["encoding"],
                    updates=options["update"],
                    ignores_unknown=options["ignore_unknown_columns"],
                    stored=False,
                )
                opened.seek(0)
                report = self._run(given, opened, dry_run=dry_run, errors=errors)
                if dry_run:
                    # Not even that it was looked through.
                    transaction.set_rollback(True)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except FileFaulty as error:
            self._show(error.report)
            raise CommandError(str(error)) from error
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        self._show(report)
        if report.faults:
            raise CommandError("There are errors in the file. Nothing was written: this was a dry run.")
        for note in report.notes:
            self.stdout.write(note)
        self.stdout.write(f"ok: {report.summary()}{' (dry run)' if dry_run else ''}")

    def _run(self, given: CustomerImport, opened: Any, *, dry_run: bool, errors: Path | None) -> Report:
        fault_file = (lambda: errors.open("wb")) if errors else None
        bar = Bar(self.stdout, "import")

        def tell(done: int, total: int | None = None) -> None:
            bar.show(done, total or given.lines)

        try:
            if dry_run:
                return services.check_file(given=given, file=opened, tell=tell, fault_file=fault_file)
            return services.import_file(given=given, file=opened, actor=None, tell=tell, fault_file=fault_file)
        finally:
            bar.end()

    def _show(self, report: Report) -> None:
        for fault in report.first_faults:
            where = f"line {fault.line}" + (f", {fault.column}" if fault.column else "")
            value = f" {fault.value!r}:" if fault.value else ""
            self.stderr.write(f"{where}:{value} {fault.problem} {fault.advice}")
        if report.faults > len(report.first_faults):
            self.stderr.write(
                f"... and {report.faults - len(report.first_faults):,} more: --errors writes all of them."
            )
