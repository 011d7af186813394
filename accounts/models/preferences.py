"""How members of staff like their lists: which columns, which filters at hand, and which of them at first."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backoffice.lib import clock

KEY_LENGTH, NAME_LENGTH, QUERY_LENGTH = 100, 60, 2_000


class SavedFilter(models.Model):
    """Search, filters and order of a list under a name: the query of its address, which is checked anew when opened.

    ``list_key`` is the label of the list's model, such as ``accounts.customer``.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters", db_index=False)
    list_key = models.CharField(max_length=KEY_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH)
    is_shared = models.BooleanField(default=False, help_text="All who see the list see it too.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        default_permissions = ()
        permissions = [("share_savedfilter", "Can share saved filters with all staff")]
        constraints = [
            # Also what finds a member's own filters of a list, and serves the foreign key.
            models.UniqueConstraint(fields=["owner", "list_key", "name"], name="saved_filter_name_once"),
            models.CheckConstraint(condition=Q(name__length__gt=0), name="saved_filter_named"),
        ]
        indexes = [
            # The shared filters of a list, which everybody's page of it asks for.
            models.Index(fields=["list_key"], condition=Q(is_shared=True), name="saved_filter_shared"),
        ]

    def __str__(self) -> str:
        return self.name


class ListPreference(models.Model):
    """What one member of staff chose for one list. Without columns it has those that it has for everybody."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    list_key = models.CharField(max_length=KEY_LENGTH)
    columns = ArrayField(models.CharField(max_length=KEY_LENGTH), null=True)
    first_filter = models.ForeignKey(
        SavedFilter, models.SET_NULL, null=True, related_name="+", help_text="What the list opens with."
    )

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["staff", "list_key"], name="list_preference_once")]

    def __str__(self) -> str:
        return f"{self.list_key} of staff {self.staff_id}"
