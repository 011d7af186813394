"""Keys by which programs use the API."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backoffice.lib import clock


class Scope(models.TextChoices):
    """What a key is for. A key for the product is nobody's; one for the staff side is a member's."""

    INGEST = "ingest", "Ingest: the product tells and asks"
    READ = "read", "Read: what its member of staff may see"
    ADMIN = "admin", "Admin: what its member of staff may do, and see"


STAFF_SCOPES = [Scope.READ, Scope.ADMIN]


class ApiKey(models.Model):
    """A key as we know it: by its hash. The key itself is shown once and kept nowhere."""

    name = models.CharField(max_length=100, help_text="Which program uses it.")
    prefix = models.CharField(max_length=16, help_text="How the key begins, to tell keys apart.")
    # A plain SHA-256 will do: the key is 256 random bits, so there is no list of likely ones to try, and a slow hash
    # would cost each request what it costs an attacker.
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope))
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        help_text="In whose name, and within whose permissions, a key of the staff side acts.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        permissions = [("revoke_apikey", "Can revoke API keys")]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes=[Scope.INGEST], staff__isnull=True)
                | Q(scopes__contained_by=STAFF_SCOPES, scopes__len__gt=0, staff__isnull=False),
                name="apikey_scopes_fit_owner",
            ),
            models.CheckConstraint(condition=Q(name__length__gt=0), name="apikey_named"),
            models.CheckConstraint(condition=Q(key_hash__regex="^[0-9a-f]{64}$"), name="apikey_hashed"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def grants(self, scope: Scope) -> bool:
        """Whether the key has ``scope``. Whoever may act may also look."""
        return scope in self.scopes or (scope == Scope.READ and Scope.ADMIN in self.scopes)
