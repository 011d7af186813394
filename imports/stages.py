"""How far a file has come, told from its jobs and its report."""

from enum import StrEnum

from imports.models import CustomerImport
from jobs.models.work import UNFINISHED


class Stage(StrEnum):
    CHECKING = "Being checked"
    UNCHECKED = "Not checked"
    FAULTY = "Has errors"
    READY = "Ready"
    REPEATED = "Imported before"
    IMPORTING = "Being imported"
    REFUSED = "Not imported"
    IMPORTED = "Imported"


MOVING = {Stage.CHECKING, Stage.IMPORTING}


def stage_of(given: CustomerImport) -> Stage:
    """Where the file stands."""
    if given.imported_at:
        return Stage.IMPORTED
    if given.import_job:
        return Stage.IMPORTING if given.import_job.state in UNFINISHED else Stage.REFUSED
    if given.check_job and given.check_job.state in UNFINISHED:
        return Stage.CHECKING
    if given.report is None:
        return Stage.UNCHECKED
    if given.report["repeats"]:
        return Stage.REPEATED
    return Stage.FAULTY if given.report["faults"] else Stage.READY
