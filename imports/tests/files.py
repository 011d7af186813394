"""Files of customers for tests, handed in and imported without a job."""

import io

from django.core.files import File

from imports import services
from imports.models import CustomerImport

HEADER = "email,external_id,full_name,opening_balance,opening_value_minor,opening_currency,opening_expires_at"


def handed_in(content: str | bytes, actor=None, **options) -> tuple[CustomerImport, io.BytesIO]:
    """A file that is known, and its bytes."""
    body = content.encode() if isinstance(content, str) else content
    given = services.keep_file(
        file=File(io.BytesIO(body)), name="customers.csv", actor=actor, reason="test", stored=False, **options
    )
    return given, io.BytesIO(body)


def quiet(done, total=None):
    """Nobody listens to how far it is."""


def checked(content, **options):
    """The report of a look through."""
    given, file = handed_in(content, **options)
    return services.check_file(given=given, file=file, tell=quiet)


def imported(content, actor=None, **options):
    """The report of an import."""
    given, file = handed_in(content, actor=actor, **options)
    return services.import_file(given=given, file=file, actor=actor, tell=quiet)


def problems(report):
    """Line, column and problem of each error."""
    return [(fault.line, fault.column, fault.problem) for fault in report.first_faults]
