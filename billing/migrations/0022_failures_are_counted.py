"""The failures of an event are counted by themselves: it may wait, and be woken, any number of times beside them."""

from django.db import migrations, models

# Which of their attempts broke is not known of those before; as many as were counted so far.
FILL = "UPDATE billing_stripeevent SET failures = attempts WHERE state = 'failed'"


class Migration(migrations.Migration):
    dependencies = [("billing", "0021_packs_follow_stripe")]

    operations = [
        migrations.AddField(
            model_name="stripeevent",
            name="failures",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="How many of the last attempts, one after the other, broke."
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("failures__lte", models.F("attempts"))), name="stripe_event_failures_are_attempts"
            ),
        ),
    ]
