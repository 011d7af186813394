"""Requests of staff that a customer be given a new password."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.lib import clock


class ResetWay(models.TextChoices):
    """Who asks the customer for a new password: whoever they log in with."""

    PRODUCT = "product", "The product is told"
    MAIL = "mail", "We mail a link"


class PasswordResetRequest(models.Model):
    """One request. The product is told from this row, by webhook and in its feed; no password is ever in it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reset_requests")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    way = models.CharField(max_length=16, choices=ResetWay)
    key = models.CharField(max_length=255, unique=True, help_text="Under which it was asked for and is done once.")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(way__in=ResetWay.values), name="reset_request_way_known")]

    def __str__(self) -> str:
        return f"new password for customer {self.user_id}"
