"""How far the reading of Stripe's lists is."""

from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from billing.models.events import STRIPE_ID_LENGTH


class SyncState(models.Model):
    """The last run over one list of Stripe's, under way or ended. A killed run goes on after ``starting_after``."""

    resource = models.CharField(max_length=32, unique=True)
    run = models.UUIDField(help_text="What was read together.")
    since = models.DateTimeField(null=True, help_text="Only what was created since then; empty for all.")
    starting_after = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True, help_text="How far down it was read.")
    read_from = models.DateTimeField(help_text="What was created later was not in the list yet.")
    found = models.PositiveIntegerField(default=0, help_text="Objects that Stripe listed.")
    new = models.PositiveIntegerField(default=0, help_text="Those that told something new.")
    held_up = models.PositiveIntegerField(default=0, help_text="Of the new, those that somebody has to look at.")
    error = models.TextField(blank=True, help_text="Why it ended too early.")
    started_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "Stripe sync"
        verbose_name_plural = "Stripe syncs"
        permissions = [("sync_stripe", "Can sync with Stripe")]
        constraints = [
            models.CheckConstraint(
                condition=Q(new__lte=F("found"), held_up__lte=F("new")), name="sync_state_counts_add_up"
            ),
        ]

    def __str__(self) -> str:
        return self.resource
