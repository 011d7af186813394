"""The audit log: who did what to which thing, when, why, and from where. Rows are evidence.

``seq``, ``prev_hash`` and ``hash`` are set by a deferred trigger as the transaction commits (see the migrations), each
hash covering its row and the hash before it.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.actions import label_of
from backoffice.lib import clock

GENESIS_HASH = "0" * 64


class AuditEntry(models.Model):
    """One act of a member of staff, of a staff key, or of a command run by staff."""

    at = models.DateTimeField(default=clock.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=64)
    resource_type = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=128, blank=True)
    resource_label = models.CharField(max_length=200, blank=True, help_text="An id, never personal data.")
    old_values = models.JSONField(default=dict, blank=True)
    new_values = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    seq = models.BigIntegerField(null=True, blank=True, editable=False)
    prev_hash = models.CharField(max_length=64, null=True, blank=True, editable=False)  # noqa: DJ001 (null: not sealed yet)
    hash = models.CharField(max_length=64, null=True, blank=True, editable=False)  # noqa: DJ001

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        permissions = [("export_auditentry", "Can export the audit log")]
        constraints = [
            models.UniqueConstraint(fields=["seq"], name="audit_seq_unique"),
            models.CheckConstraint(
                condition=Q(seq__isnull=True, prev_hash__isnull=True, hash__isnull=True)
                | Q(seq__gte=1, prev_hash__isnull=False, hash__isnull=False),
                name="audit_sealed_whole",
            ),
        ]
        indexes = [
            # The viewer, newest first, and each of its filters.
            models.Index(fields=["at", "id"], name="audit_by_time"),
            models.Index(fields=["action", "at", "id"], name="audit_by_action"),
            models.Index(fields=["actor", "at", "id"], name="audit_by_actor"),
            # Search by the id of a thing or of a request.
            models.Index(fields=["resource_id"], name="audit_by_resource_id"),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="audit_by_request"),
            # The history of one thing: the audit panel of a customer, the history page of a record.
            models.Index(fields=["resource_type", "resource_id", "at", "id"], name="audit_by_resource"),
        ]

    def __str__(self) -> str:
        return f"{label_of(self.action)}: {self.resource_label or self.resource_type}"


class ChainHead(models.Model):
    """The last sealed entry. One row, locked by whoever seals next; only the sealing trigger writes it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS_HASH)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


class AuditProof(models.Model):
    """One run of the proof of the whole log, and what it found."""

    source = models.CharField(max_length=16, help_text="Who asked for it: beat, command or staff.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    entries = models.BigIntegerField(help_text="How many entries were sealed.")
    head_hash = models.CharField(max_length=64, help_text="The hash of the last of them.")
    anchors = models.PositiveIntegerField(help_text="How many anchors outside of the database it was held against.")
    fault = models.CharField(max_length=500, blank=True, help_text="The first thing that does not hold; empty: sound.")
    anchor_error = models.CharField(max_length=500, blank=True, help_text="Why the new head could not be anchored.")

    class Meta:
        permissions = [("verify_audit", "Can have the audit log checked")]
        indexes = [
            # The page of proofs, newest first, and the badge that asks for the latest.
            models.Index(fields=["started_at", "id"], name="audit_proof_by_time"),
        ]

    def __str__(self) -> str:
        return f"Proof of {self.started_at:%Y-%m-%d %H:%M} UTC"
