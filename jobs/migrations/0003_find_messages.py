"""The list of messages finds them by state, topic and channel."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_deliver_messages"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="outboxmessage",
            name="message_dead",
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["state", "created_at", "id"], name="message_by_state"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["topic", "created_at", "id"], name="message_by_topic"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["channel", "created_at", "id"], name="message_by_channel"),
        ),
    ]
