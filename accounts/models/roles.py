"""Roles, and what the default ones were given so far."""

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Role(Group):
    """What some of the staff may do, under a name."""

    class Meta:
        proxy = True


class DefaultRole(models.Model):
    """A role that the product begins with, and which permissions it was given, each once.

    What staff take away from a role stays in ``applied``, so that no later migrate gives it back; a role that staff
    deleted stays here without its ``group``.
    """

    name = models.CharField(max_length=150, primary_key=True, help_text="As the role was called at first.")
    group = models.OneToOneField(Group, models.SET_NULL, null=True, blank=True, related_name="default_role")
    applied = ArrayField(models.CharField(max_length=160), default=list, help_text="As app.codename.")

    def __str__(self) -> str:
        return self.name
