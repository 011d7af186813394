"""The permission to write to many customers at once."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_jobs_wait_for_approval"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="outboxmessage",
            options={
                "permissions": [
                    ("retry_message", "Can send messages again"),
                    ("read_message", "Can see to whom a message went and what it says"),
                    ("mail_customers", "Can write to many customers at once"),
                ],
                "verbose_name": "message",
            },
        ),
    ]
