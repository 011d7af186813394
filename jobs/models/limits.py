"""How much a role may give away by itself, and how much of that was used."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from backoffice.lib import clock
from backoffice.lib.work import limited_verbs

# The largest amount that NUMERIC(18,4) holds; NaN lies above it, so the bound keeps it out.
LARGEST = 10**14


class RoleLimit(models.Model):
    """Largest amount of one act, and of all acts of a day, for one verb; empty is no bound.

    Whoever has several roles has the largest of their limits; roles without one say nothing.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="limits", verbose_name="role", db_index=False)
    verb = models.CharField(max_length=64)
    per_act = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    per_day = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "limit of a role"
        verbose_name_plural = "limits of roles"
        constraints = [
            models.UniqueConstraint(
                fields=["group", "verb"],
                name="rolelimit_once",
                violation_error_message="This role has a limit for that already: change it.",
            ),
            models.CheckConstraint(
                condition=Q(per_act__isnull=True) | Q(per_act__gte=0, per_act__lt=LARGEST),
                name="rolelimit_act_bounds",
                violation_error_message="The limit of one act is between 0 and 100,000,000,000,000.",
            ),
            models.CheckConstraint(
                condition=Q(per_day__isnull=True) | Q(per_day__gte=0, per_day__lt=LARGEST),
                name="rolelimit_day_bounds",
                violation_error_message="The limit of a day is between 0 and 100,000,000,000,000.",
            ),
        ]

    def __str__(self) -> str:
        verb = limited_verbs.get(self.verb)
        return f"{verb.label if verb else self.verb} by {self.group}"


class LimitUse(models.Model):
    """What a member of staff used of a limit, written with the act itself. ``key`` is the act's own."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    verb = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    key = models.CharField(max_length=255, unique=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0, amount__lt=LARGEST), name="limituse_amount_bounds"),
        ]
        indexes = [
            # The sum of somebody's day; it also serves the foreign key.
            models.Index(fields=["staff", "verb", "at"], include=["amount"], name="limituse_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.verb}"
