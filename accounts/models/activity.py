"""What people did in the product, as the product or a service told it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock

WITH_ADDRESS = Q(ip__isnull=False) | ~Q(user_agent="")


class ActivityEvent(models.Model):
    """One act: visit, signup, login, generate, purchase. Without a user it belongs to a visitor."""

    event_id = models.CharField(max_length=128, unique=True, default=uuid.uuid4)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="activity",
        db_index=False,
    )
    visitor_id = models.CharField(max_length=128, blank=True)
    action = models.CharField(max_length=64)
    details = models.JSONField(default=dict, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            # The activity panel of a customer, newest first; it also serves the foreign key.
            models.Index(fields=["user", "-at"], name="activity_of_user"),
            # Visits of a visitor who signs up, and the signup of a visitor whose visits come late.
            models.Index(fields=["visitor_id"], condition=~Q(visitor_id=""), name="activity_of_visitor"),
            # What `prune` takes the address and the browser from: the oldest that have them.
            models.Index(fields=["id"], condition=WITH_ADDRESS, name="activity_with_address"),
        ]
        constraints = [
            # However often and from wherever it is told, a person signed up once.
            models.UniqueConstraint(fields=["user"], condition=Q(action="signup"), name="activity_one_signup"),
        ]

    def __str__(self) -> str:
        return f"{self.action} at {self.at:%Y-%m-%d %H:%M}"
