"""Writing the audit log, and proving it; and catalogues from files, which is audited writing of many records."""

from audit.services.catalogues import Line, Outcome, import_rows, look_through
from audit.services.proofs import verify_audit
from audit.services.recording import LABEL_LENGTH, SYSTEM, WITHHELD, Resource, record

__all__ = [
    "LABEL_LENGTH",
    "SYSTEM",
    "WITHHELD",
    "Line",
    "Outcome",
    "Resource",
    "import_rows",
    "look_through",
    "record",
    "verify_audit",
]
