"""The proofs of the audit log."""

from django.contrib import admin

from audit import tasks
from audit.models import AuditProof
from backoffice.lib.admin import display
from backoffice.lib.admin.proofs import ProofAdmin


@admin.register(AuditProof)
class AuditProofAdmin(ProofAdmin):
    list_display = ("when", "outcome", "fault_shown", "entries_shown", "anchors_shown", "took", "source")
    fields = (
        "when",
        "outcome",
        "fault_shown",
        "entries_shown",
        "head_hash",
        "anchors_shown",
        "anchored",
        "took",
        "source",
    )
    empty_hint = "Each night the whole audit log is proved, entry by entry. Press Check now for the first run."
    check_permission = "audit.verify_audit"
    check_task = tasks.verify_audit_for
    asked_message = (
        "A worker checks the audit log now. A long one takes minutes: the run appears here once it has ended."
    )

    def is_sound(self, proof: AuditProof) -> bool:
        return not proof.fault

    @admin.display(description="What does not hold")
    def fault_shown(self, proof: AuditProof) -> str:
        return proof.fault or display.absent("Every entry is as it was written.")

    @admin.display(description="Entries")
    def entries_shown(self, proof: AuditProof) -> str:
        return display.number(proof.entries)

    @admin.display(description="Anchors")
    def anchors_shown(self, proof: AuditProof) -> str:
        return display.number(proof.anchors)

    @admin.display(description="Anchored anew")
    def anchored(self, proof: AuditProof) -> str:
        if proof.anchor_error:
            return display.badge(proof.anchor_error, "bad")
        return "no" if proof.fault or proof.source == "command" else "yes"
