"""Files of customers that were handed in to be imported."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from jobs.models import Job


class Encoding(models.TextChoices):
    """Empty: found out from the file."""

    UTF_8 = "utf-8", "UTF-8"
    UTF_16 = "utf-16", "UTF-16"
    WINDOWS_1252 = "windows-1252", "Windows-1252 (Latin-1)"


class CustomerImport(models.Model):
    """A file, how it is to be read, what was found in it, and whether it was imported: as a whole or not at all."""

    name = models.CharField(max_length=200, help_text="As the file was called where it came from.")
    file = models.CharField(max_length=300, blank=True, help_text="Empty: it is not kept, or not any more.")
    size = models.BigIntegerField(help_text="Bytes.")
    lines = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16, choices=Encoding, blank=True)
    updates = models.BooleanField(default=False, help_text="Known customers are changed and not refused.")
    ignores_unknown = models.BooleanField(default=False, help_text="Columns that are not known are left out.")
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: a command."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    check_job = models.OneToOneField(Job, models.PROTECT, null=True, blank=True, related_name="+")
    import_job = models.OneToOneField(Job, models.PROTECT, null=True, blank=True, related_name="+")
    report = models.JSONField(null=True, blank=True, help_text="What was found when it was last looked through.")
    imported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "import"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(encoding__in=["", *Encoding.values]), name="customerimport_encoding_known"
            ),
            models.CheckConstraint(condition=Q(size__gte=0, lines__gte=0), name="customerimport_size_range"),
            models.CheckConstraint(
                condition=Q(imported_at__isnull=True) | Q(report__isnull=False), name="customerimport_tells_what_it_did"
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["created_at", "id"], name="customerimport_by_time"),
            # Whether a file was imported before.
            models.Index(fields=["sha256"], name="customerimport_by_content"),
        ]

    def __str__(self) -> str:
        return self.name
