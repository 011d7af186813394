"""What keeps the ledger honest: which key did what, and what the proof found."""

from django.db import models

from backoffice.lib import clock


class IdempotencyRecord(models.Model):
    """What a key was first used for and how that ended. Keys live in namespaces, such as ``admin:`` or ``stripe:``."""

    key = models.CharField(max_length=255, primary_key=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request's canonical content.")
    result = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            # Old keys are pruned by age.
            models.Index(fields=["created_at"], name="idempotency_by_age"),
        ]

    def __str__(self) -> str:
        return self.key


class IntegrityRun(models.Model):
    """One run of the proof of the ledger over all accounts, and what it found."""

    source = models.CharField(max_length=16, help_text="Who asked for it: beat, command or staff.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    accounts = models.PositiveIntegerField()
    faults = models.PositiveIntegerField()
    findings = models.JSONField(default=list, help_text="The first broken rows: rule, account, row, detail.")

    class Meta:
        permissions = [("verify_ledger", "Can have the ledger checked")]
        indexes = [
            # The integrity page, newest first.
            models.Index(fields=["started_at", "id"], name="integrity_by_time"),
        ]

    def __str__(self) -> str:
        return f"Proof of {self.started_at:%Y-%m-%d %H:%M} UTC"
