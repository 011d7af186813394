"""A message knows that its channel is not configured, and its place in the feed; an attempt, that it is under way."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_jobs_outbox_approvals_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="outboxmessage",
            options={
                "permissions": [
                    ("retry_message", "Can send messages again"),
                    ("read_message", "Can see to whom a message went and what it says"),
                ],
                "verbose_name": "message",
            },
        ),
        migrations.RemoveConstraint(
            model_name="outboxmessage",
            name="message_state_known",
        ),
        migrations.RemoveIndex(
            model_name="outboxmessage",
            name="message_feed",
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="forgotten_at",
            field=models.DateTimeField(blank=True, help_text="When its content was removed for its age.", null=True),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="position",
            field=models.BigIntegerField(
                blank=True,
                editable=False,
                help_text="Its place in the product's feed; given after the commit.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="ok",
            field=models.BooleanField(null=True),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="took_ms",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="outboxmessage",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Since it was written, or was last told to be sent again."
            ),
        ),
        migrations.AlterField(
            model_name="outboxmessage",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Waits"),
                    ("sent", "Sent"),
                    ("dead", "Given up"),
                    ("unconfigured", "Not configured"),
                ],
                default="pending",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("channel", "webhook"), ("position", None)), fields=["id"], name="message_unplaced"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ok__isnull", True), ("took_ms__isnull", True)),
                    models.Q(("ok__isnull", False), ("took_ms__isnull", False)),
                    _connector="OR",
                ),
                name="delivery_outcome_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "sent", "dead", "unconfigured"])),
                name="message_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxmessage",
            constraint=models.UniqueConstraint(fields=("position",), name="message_position_once"),
        ),
    ]
