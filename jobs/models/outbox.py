"""Messages to the outside: written with the fact they tell of, sent afterwards, as often as it takes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from backoffice.lib import clock


class Channel(models.TextChoices):
    MAIL = "mail", "Mail"
    WEBHOOK = "webhook", "Webhook to the product"
    SLACK = "slack", "Slack"


class MessageState(models.TextChoices):
    """What is not configured is written all the same: the product can fetch it, and staff send it again."""

    PENDING = "pending", "Waits"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"
    UNCONFIGURED = "unconfigured", "Not configured"


class OutboxMessage(models.Model):
    """One message. ``key`` says what it tells of, so that it is written once however often that is noticed."""

    key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=16, choices=Channel)
    topic = models.CharField(max_length=64, help_text="What it tells of, such as user.banned.")
    recipient = models.CharField(max_length=254, blank=True, help_text="An address; empty where settings name it.")
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    payload = models.JSONField(default=dict, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="messages", db_index=False
    )
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False)
    state = models.CharField(max_length=16, choices=MessageState, default=MessageState.PENDING)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Since it was written, or was last told to be sent again."
    )
    next_attempt_at = models.DateTimeField(default=clock.now)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="Its place in the product's feed; given after the commit."
    )
    forgotten_at = models.DateTimeField(null=True, blank=True, help_text="When its content was removed for its age.")

    class Meta:
        verbose_name = "message"
        permissions = [
            ("retry_message", "Can send messages again"),
            ("read_message", "Can see to whom a message went and what it says"),
            ("mail_customers", "Can write to many customers at once"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="message_channel_known"),
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="message_state_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | Q(~Q(state="sent"), sent_at__isnull=True),
                name="message_sent_has_time",
            ),
            # The feed reads along this index; a place is given once.
            models.UniqueConstraint(fields=["position"], name="message_position_once"),
        ]
        indexes = [
            # The list, newest first, whole and by each of its filters; the badge counts what was given up.
            models.Index(fields=["created_at", "id"], name="message_by_time"),
            models.Index(fields=["state", "created_at", "id"], name="message_by_state"),
            models.Index(fields=["topic", "created_at", "id"], name="message_by_topic"),
            models.Index(fields=["channel", "created_at", "id"], name="message_by_channel"),
            # The sweep: what is due.
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="message_due"),
            # What was sent to a customer, and the foreign key.
            models.Index(fields=["user", "created_at"], name="message_of_user"),
            # What was written to an address of somebody who is to be forgotten.
            models.Index(Upper("recipient"), condition=~Q(recipient=""), name="message_by_recipient"),
            # The messages of a bulk act, and the foreign key.
            models.Index(fields=["job"], condition=Q(job__isnull=False), name="message_of_job"),
            # What `prune` empties: the oldest that still have their content.
            models.Index(fields=["created_at"], condition=Q(forgotten_at=None), name="message_with_content"),
            # What has no place in the product's feed yet: a handful of rows.
            models.Index(fields=["id"], condition=Q(channel="webhook", position=None), name="message_unplaced"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class Delivery(models.Model):
    """One attempt to send a message, and what the other side answered.

    Written before the attempt: one that has no outcome is under way, or its worker was lost.
    """

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="deliveries")
    at = models.DateTimeField(default=clock.now)
    ok = models.BooleanField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True, help_text="The beginning of the answer, or the error.")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(ok__isnull=True, took_ms__isnull=True) | Q(ok__isnull=False, took_ms__isnull=False),
                name="delivery_outcome_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt at {self.at:%Y-%m-%d %H:%M} for {self.message_id}"
