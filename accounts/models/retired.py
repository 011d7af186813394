"""Customers who are none any more and whose rows stay for the sake of their ledger."""

from hashlib import sha256

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock

HASHED = "sha256:"


def hashed(external_id: str) -> str:
    """What is kept of the product's id of somebody who is to be forgotten: enough to know it again, no more."""
    return HASHED + sha256(external_id.encode()).hexdigest()


class Fate(models.TextChoices):
    MERGED = "merged", "Merged into another"
    ANONYMISED = "anonymised", "Anonymised"


class RetiredCustomer(models.Model):
    """What became of a customer. ``former_id`` is the product's id of them, hashed once nobody may know it any more."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="retirement", editable=False
    )
    fate = models.CharField(max_length=16, choices=Fate)
    into = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="absorbed")
    former_id = models.CharField(max_length=128, unique=True, null=True, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(fate=Fate.MERGED, into__isnull=False) | Q(fate=Fate.ANONYMISED, into__isnull=True),
                name="retired_merged_into_somebody",
            ),
            models.CheckConstraint(
                condition=Q(into__isnull=True) | ~Q(into=F("user")), name="retired_not_into_themselves"
            ),
        ]

    def __str__(self) -> str:
        return f"customer {self.user_id}: {self.get_fate_display().lower()}"
