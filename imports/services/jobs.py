"""Asking a worker to look through a file and to import it, and what the worker does."""

from typing import Any

from django.db import transaction

from accounts.models import User
from backoffice.lib.work import Running
from imports.errors import ImportRefused
from imports.models import CustomerImport
from imports.report import Report
from imports.selectors import obstacle
from imports.services.files import forget_file, open_file
from imports.services.importing import check_file, import_file
from jobs.services import create_job

CHECK, IMPORT = "imports.check", "imports.import"
FAULTS_NAME = "import-errors.csv"
GONE = "The file is not kept any more: upload it again."


@transaction.atomic
def start_check(*, import_id: int, actor: User) -> CustomerImport:
    """Queue the look through a file; once. Raises NotAllowed."""
    given = CustomerImport.objects.select_for_update(of=("self",)).get(pk=import_id)
    if given.check_job_id is None:
        given.check_job = create_job(
            kind=CHECK, actor=actor, params={"import": given.pk}, reason=given.reason, total=given.lines
        )
        given.save(update_fields=["check_job"])
    return given


@transaction.atomic
def start_import(*, import_id: int, actor: User) -> CustomerImport:
    """Queue the import of a file that was found right; once. Raises ImportRefused, NotAllowed."""
    given = CustomerImport.objects.select_for_update(of=("self",)).get(pk=import_id)
    if given.import_job_id is not None:
        return given
    if given.report is None or given.report["faults"]:
        raise ImportRefused("Only a file without errors can be imported.")
    if not given.file:
        raise ImportRefused(GONE)
    if (why := obstacle(actor, Report.of(given.report))) is not None:
        raise ImportRefused(why)
    given.import_job = create_job(
        kind=IMPORT, actor=actor, params={"import": given.pk}, reason=given.reason, total=given.lines
    )
    given.save(update_fields=["import_job"])
    return given


def run_check(running: Running) -> None:
    """Look through a file. It is the same when it is done again."""
    given, file = _opened(running)
    with file:
        report = check_file(given=given, file=file, tell=running.progress, fault_file=_fault_file(running))
    running.say(report.summary())


def run_import(running: Running) -> None:
    """Import a file, in the name of who confirmed it. When it is done again after it was done, nothing happens.

    Once it is imported, the file itself is not kept.
    """
    done = CustomerImport.objects.filter(pk=running.params["import"], imported_at__isnull=False).first()
    if done is not None:
        # By a worker that was lost before it could say so.
        _finish(running, done, Report.of(done.report))
        return
    given, file = _opened(running)
    actor = User.objects.filter(pk=running.actor_id or 0).first()
    if actor is None or not actor.is_active:
        raise ImportRefused("Whoever confirmed this import may not import any more.")
    with file:
        report = import_file(
            given=given, file=file, actor=actor, tell=running.progress, fault_file=_fault_file(running)
        )
    given.refresh_from_db()
    _finish(running, given, report)


def _finish(running: Running, given: CustomerImport, report: Report) -> None:
    running.say(" ".join([report.summary(), *report.notes]))
    forget_file(given)


def _opened(running: Running) -> tuple[CustomerImport, Any]:
    given = CustomerImport.objects.get(pk=running.params["import"])
    try:
        return given, open_file(given)
    except FileNotFoundError as error:
        raise ImportRefused(GONE) from error


def _fault_file(running: Running) -> Any:
    return lambda: running.result(FAULTS_NAME)
