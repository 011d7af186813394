"""The audit log and its proofs as staff read them."""

from audit.admin.entries import AuditEntryAdmin
from audit.admin.proofs import AuditProofAdmin

__all__ = ["AuditEntryAdmin", "AuditProofAdmin"]
