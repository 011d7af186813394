"""Looking through a file, and importing it: all of it in one transaction, or nothing."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import IO, Any

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from accounts.models import User
from accounts.selectors.intake import intake_faults
from accounts.services import intake
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.money import plain_credits
from credits.errors import OpeningRefused
from credits.selectors.openings import OPENING_FAULTS
from credits.services import openings
from imports.errors import FileFaulty, ImportRefused
from imports.models import CustomerImport
from imports.report import Fault, Report
from imports.selectors import obstacle
from imports.services import faults
from imports.services.reading import stage
from jobs.services import lock_staff

# One import at a time, so that none has to reckon with the other's half. The number says no more than "imports".
LOCK = 0x696D70
LOCK_PATIENCE = "5min"

Tell = Callable[[int, int | None], None]
FaultFile = Callable[[], Any]


def check_file(*, given: CustomerImport, file: IO[bytes], tell: Tell, fault_file: FaultFile | None = None) -> Report:
    """Look through a file as the import would, and write nothing but the report into ``given``.

    ``tell`` is called with the rows so far and of how many; ``fault_file`` opens what all errors are written into.
    """
    with tempfile.TemporaryFile() as found:
        with _unlimited():
            report = _done_before(given) or _look_through(given, file, tell=lambda rows: tell(rows, None))
            if report.faults:
                faults.write(found)
        _hand_out(found, fault_file)
    given.report = report.as_json()
    given.save(update_fields=["report"])
    tell(report.rows, report.rows)
    return report


def import_file(
    *, given: CustomerImport, file: IO[bytes], actor: User | None, tell: Tell, fault_file: FaultFile | None = None
) -> Report:
    """Import a file whole, once: a second time, and the same file without updates, does nothing.

    ``tell`` is called with the rows so far and of how many. Raises FileFaulty when there are errors, which
    ``fault_file`` opens a file for, and ImportRefused.
    """
    try:
        with tempfile.TemporaryFile() as found:
            try:
                with _unlimited():
                    return _import(given, file, actor, tell, found)
            except FileFaulty:
                # Only now: what is told of a file within the transaction goes with it, and the file would stay.
                _hand_out(found, fault_file)
                raise
    except IntegrityError as error:
        raise ImportRefused(
            "Somebody else made or changed a customer of this file at the same moment. Nothing was imported: try again."
        ) from error
    except OpeningRefused as error:
        raise ImportRefused(str(error)) from error
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ImportRefused("Another import is running, or a customer is locked. Try again later.") from error
        raise


def _import(given: CustomerImport, file: IO[bytes], actor: User | None, tell: Tell, found: IO[bytes]) -> Report:
    """``found`` takes all errors before FileFaulty is raised."""
    _one_at_a_time()
    kept = CustomerImport.objects.select_for_update().get(pk=given.pk)
    if (done := _done_before(kept)) is not None:
        return done
    if actor is not None:
        lock_staff(actor)
    # Reading is the first half of the way, writing the second.
    report = _look_through(kept, file, tell=lambda rows: tell(rows // 2, None), lock=True)
    if report.faults:
        faults.write(found)
        raise FileFaulty(report)
    if actor is not None:
        _allow_openings(report, actor, given.pk)
    tell(report.rows // 2, report.rows)
    written = 0
    for number in intake.write():
        written += number
        tell((report.rows + written) // 2, None)
    for _ in openings.post(actor=actor):
        tell(report.rows, None)
    kept.report, kept.imported_at = report.as_json(), clock.now()
    kept.save(update_fields=["report", "imported_at"])
    _record(kept, report, actor)
    return report


def _hand_out(found: IO[bytes], fault_file: FaultFile | None) -> None:
    if found.tell() and fault_file:
        found.seek(0)
        with fault_file() as out:
            shutil.copyfileobj(found, out)


def _done_before(kept: CustomerImport) -> Report | None:
    """What came of it if it was imported already. With updates a file may be imported again, after other changes."""
    if kept.imported_at:
        return Report.of(kept.report)
    earlier = CustomerImport.objects.filter(sha256=kept.sha256, imported_at__isnull=False, updates=False)
    first = None if kept.updates else earlier.order_by("imported_at").first()
    if first is None:
        return None
    when = f"{first.imported_at:%Y-%m-%d %H:%M} UTC"
    return Report(
        rows=Report.of(first.report).rows, repeats=f"The same file was imported on {when}: there is nothing to do."
    )


def _look_through(given: CustomerImport, file: IO[bytes], *, tell: Callable[[int], None], lock: bool = False) -> Report:
    """Read, stage and check everything. Needs a transaction."""
    rows = stage(file, given, tell=tell)
    numbers = intake.match(lock=lock and given.updates)
    for query in intake_faults(updates=given.updates):
        faults.add_found(query)
    left = intake.leave_managed_plans()
    faults.add([_already_counted(line) for line in intake.counted_who_would_be_demo()])
    number, total, largest = openings.match()
    for query in OPENING_FAULTS:
        faults.add_found(query, {"key": openings.KEY, "now": clock.now()})
    notes = [f"{left:,} customers keep the plan that something else decides."] if left else []
    return Report(
        rows=rows,
        new=numbers.new,
        known=numbers.known,
        openings=number,
        credits=plain_credits(total),
        largest=plain_credits(largest),
        faults=faults.count(),
        first_faults=faults.first(),
        notes=notes,
    )


def _already_counted(line: int) -> Fault:
    return Fault(
        line, "demo_mode", "true", "The customer has a ledger already.", "Who is counted cannot become a demo customer."
    )


def _allow_openings(report: Report, actor: User, import_id: int) -> None:
    """Count the opening balances against the limits of ``actor``. Raises ImportRefused."""
    if (why := obstacle(actor, report)) is not None:
        raise ImportRefused(f"{why} Nothing was imported.")
    if report.openings:
        openings.count_against_limit(
            staff=actor,
            total=Decimal(report.credits),
            largest=Decimal(report.largest),
            key=f"import:openings:{import_id}",
        )


@contextmanager
def _unlimited() -> Iterator[None]:
    """A transaction that may take as long as the file is large; what it waits for is limited all the same."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_PATIENCE}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _record(given: CustomerImport, report: Report, actor: User | None) -> None:
    audit.record(
        action=Action.CUSTOMERS_IMPORTED,
        actor=actor,
        resource=audit.Resource.of(given),
        # Not the file's name, which may be somebody's.
        new_values={
            "sha256": given.sha256,
            "rows": report.rows,
            "new": report.new,
            "known": report.known,
            "opening_balances": report.openings,
            "credits": report.credits,
            "updates": given.updates,
        },
        reason=given.reason,
    )
