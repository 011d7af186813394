"""What staff write down about customers, and the tags they sort them by."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from backoffice.lib import clock


class StaffNote(models.Model):
    """A remark of a member of staff on a customer's page. Pinned ones stay on top."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "note"
        # Whoever may add notes changes and deletes their own; this is for those of others.
        permissions = [("delete_any_note", "Can delete notes of others")]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="note_says_something")]
        indexes = [
            # The notes of a customer as their page shows them, and the foreign key.
            models.Index(fields=["user", "-is_pinned", "-id"], name="note_of_user"),
        ]

    def __str__(self) -> str:
        return f"note {self.pk} on customer {self.user_id}"


class Colour(models.TextChoices):
    """The palette of badges."""

    GREY = "mute", "Grey"
    BLUE = "info", "Blue"
    GREEN = "ok", "Green"
    AMBER = "warn", "Amber"
    RED = "bad", "Red"


class Tag(models.Model):
    """A word that staff mark customers with."""

    name = models.CharField(max_length=40)
    colour = models.CharField(max_length=8, choices=Colour, default=Colour.GREY)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [
            ("tag_customers", "Can put tags on customers and take them off"),
            ("export_tags", "Can export the tags"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tag_name_unique", violation_error_message="There is a tag of this name."
            ),
            models.CheckConstraint(condition=Q(name__length__gt=0), name="tag_named"),
            models.CheckConstraint(condition=Q(colour__in=Colour.values), name="tag_colour_known"),
        ]
        indexes = [
            # The catalogue by name, with the key that breaks ties for its cursor.
            models.Index(fields=["name", "id"], name="tag_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def tidy(name: str) -> str:
        """A name as it is kept: without blanks around it, and with single ones in it."""
        return " ".join(name.split())


class CustomerTag(models.Model):
    """A tag on a customer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tagged", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="tagged", db_index=False)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [
            # Also serves the tags of a customer.
            models.UniqueConstraint(fields=["user", "tag"], name="customer_tag_once"),
        ]
        indexes = [
            # Whom a tag is on, for the filter of the customers list, without looking at the rows.
            models.Index(fields=["tag", "user"], name="customer_tag_by_tag"),
        ]

    def __str__(self) -> str:
        return f"tag {self.tag_id} on customer {self.user_id}"
