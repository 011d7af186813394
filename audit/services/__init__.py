"""Writing the audit log, and proving it."""

from audit.services.proofs import verify_audit
from audit.services.recording import LABEL_LENGTH, SYSTEM, WITHHELD, Resource, record

__all__ = ["LABEL_LENGTH", "SYSTEM", "WITHHELD", "Resource", "record", "verify_audit"]
