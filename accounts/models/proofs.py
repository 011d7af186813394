"""What the proof of the figures beside customers found."""

from django.db import models


class FiguresProof(models.Model):
    """One run of the proof of all customers' figures, and what it found."""

    source = models.CharField(max_length=16, help_text="Who asked for it: beat, command or staff.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    customers = models.PositiveIntegerField()
    faults = models.PositiveIntegerField()
    findings = models.JSONField(default=list, help_text="The first wrong figures: rule, customer, detail.")

    class Meta:
        permissions = [("verify_figures", "Can have customers' figures checked")]
        indexes = [
            # The page of proofs, newest first, and the badge that asks for the latest.
            models.Index(fields=["started_at", "id"], name="figures_proof_by_time"),
        ]

    def __str__(self) -> str:
        return f"Proof of {self.started_at:%Y-%m-%d %H:%M} UTC"
