"""Attempts are counted since a job last got on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0007_found_by_what_is_asked"),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How often a worker took it up since it last got on."
            ),
        ),
    ]
