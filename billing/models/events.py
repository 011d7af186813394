"""The inbox: every event that Stripe delivered, exactly as it came, and what became of it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT

from backoffice.lib import clock

# Stripe promises at most 255; its ids have about 30. They also become part of references in the ledger (200).
STRIPE_ID_LENGTH = 200


class EventState(models.TextChoices):
    RECEIVED = "received", "Received"
    PROCESSED = "processed", "Processed"
    IGNORED = "ignored", "Ignored"
    FAILED = "failed", "Failed"
    PARKED = "parked", "Parked"


class EventSource(models.TextChoices):
    WEBHOOK = "webhook", "Delivered"
    SYNC = "sync", "Fetched"


# How our ids begin of what was fetched; an event of Stripe's own may have been fetched too, and has its own.
SNAPSHOT = "sync_"
# A worker goes back to these by itself; the others have come to rest.
UNSETTLED = (EventState.RECEIVED, EventState.FAILED)
# Someone has to look at these.
NEEDS_ATTENTION = (EventState.PARKED, EventState.FAILED)
# Came to rest for want of something, or waits for it after a first attempt.
WANTING = Q(state=EventState.PARKED) | Q(state=EventState.RECEIVED, attempts__gt=0)


class StripeEvent(models.Model):
    """One delivery. What came is evidence and frozen by a trigger; only what became of it changes.

    What was fetched from Stripe, since its delivery was missed, is kept in the same way: its body is ours.
    """

    stripe_id = models.CharField(max_length=STRIPE_ID_LENGTH, unique=True)
    type = models.CharField(max_length=255)
    api_version = models.CharField(max_length=64, blank=True)
    livemode = models.BooleanField()
    body = models.BinaryField(help_text="The exact bytes, to which the signature belongs.")
    body_sha256 = models.CharField(
        max_length=64, blank=True, help_text="In hex, of the bytes that were removed for their age; empty before."
    )
    payload = models.JSONField(null=True, help_text="The body as JSON; empty if the database cannot hold it.")
    stripe_created = models.DateTimeField(null=True, help_text="When Stripe made the event; empty if it did not say.")
    object_id = models.CharField(max_length=STRIPE_ID_LENGTH, blank=True, help_text="The object it tells of.")
    payment_intent_id = models.CharField(
        max_length=STRIPE_ID_LENGTH, blank=True, help_text="The payment to which that object belongs."
    )
    invoice_id = models.CharField(
        max_length=STRIPE_ID_LENGTH, blank=True, help_text="The invoice to which that object belongs."
    )
    subscription_id = models.CharField(
        max_length=STRIPE_ID_LENGTH, blank=True, help_text="The subscription to which that object belongs."
    )
    source = models.CharField(max_length=8, choices=EventSource, default=EventSource.WEBHOOK)
    state = models.CharField(max_length=16, choices=EventState, default=EventState.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of the last attempts, one after the other, broke."
    )
    error = models.TextField(blank=True, help_text="Why it is not processed, and what to do.")
    next_attempt_at = models.DateTimeField(null=True, help_text="The sweep takes it up then.")
    settled_by_hand = models.BooleanField(
        default=False, db_default=False, help_text="Staff have dealt with what it tells, until one of them replays it."
    )
    received_at = models.DateTimeField(default=clock.now)
    processed_at = models.DateTimeField(null=True, help_text="When it came to rest.")

    class Meta:
        verbose_name = "Stripe event"
        permissions = [("replay_stripeevent", "Can replay Stripe events")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=EventState.values), name="stripe_event_state_known"),
            models.CheckConstraint(condition=Q(source__in=EventSource.values), name="stripe_event_source_known"),
            models.CheckConstraint(
                condition=Q(state__in=UNSETTLED, processed_at__isnull=True)
                | Q(
                    state__in=[state for state in EventState.values if state not in UNSETTLED],
                    processed_at__isnull=False,
                    next_attempt_at__isnull=True,
                ),
                name="stripe_event_settled_or_due",
            ),
            models.CheckConstraint(
                condition=~Q(state=EventState.RECEIVED) | Q(next_attempt_at__isnull=False),
                name="stripe_event_received_is_due",
            ),
            models.CheckConstraint(
                condition=Q(settled_by_hand=False) | Q(state=EventState.IGNORED), name="stripe_event_settled_is_ignored"
            ),
            models.CheckConstraint(condition=Q(failures__lte=F("attempts")), name="stripe_event_failures_are_attempts"),
            models.CheckConstraint(
                condition=Q(body_sha256="") | Q(body=b"", payload__isnull=True), name="stripe_event_hash_of_what_went"
            ),
        ]
        indexes = [
            # The list, newest first, whole and by each of its filters; the badge counts by state.
            models.Index(fields=["received_at", "id"], name="stripe_event_by_time"),
            models.Index(fields=["state", "received_at", "id"], name="stripe_event_by_state"),
            models.Index(fields=["type", "received_at", "id"], name="stripe_event_by_type"),
            models.Index(fields=["livemode", "received_at", "id"], name="stripe_event_by_livemode"),
            # What `prune` empties: the oldest that still have their content.
            models.Index(fields=["received_at"], condition=~Q(body=b""), name="stripe_event_with_content"),
            # What the sweep takes up: a handful of rows among millions.
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="stripe_event_due"
            ),
            # All that is known of one payment, read whenever one of its events is processed; search by pi_ id.
            models.Index(
                fields=["payment_intent_id"], condition=~Q(payment_intent_id=""), name="stripe_event_by_payment"
            ),
            # The same of one invoice and of one subscription.
            models.Index(fields=["invoice_id"], condition=~Q(invoice_id=""), name="stripe_event_by_invoice"),
            models.Index(
                fields=["subscription_id"], condition=~Q(subscription_id=""), name="stripe_event_by_subscription"
            ),
            # All that Stripe told of one customer, when that one is to be forgotten.
            models.Index(KT("payload__data__object__customer"), name="stripe_event_by_customer"),
            # Search by the id of any other object; the last word on one, read whenever one of its events is processed.
            models.Index(
                fields=["object_id", "stripe_created"], condition=~Q(object_id=""), name="stripe_event_by_object"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stripe_id}"

    @property
    def is_snapshot(self) -> bool:
        """Whether it tells how its object stood when we fetched it, and not of a moment at which something happened."""
        return self.source == EventSource.SYNC and self.stripe_id.startswith(SNAPSHOT)
