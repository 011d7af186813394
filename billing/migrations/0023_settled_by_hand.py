"""What staff have settled by hand is known as such, so that no later word on the same payment undoes it."""

from django.db import migrations, models

FILL = """
UPDATE billing_stripeevent SET settled_by_hand = true WHERE state = 'ignored' AND error LIKE 'Settled by hand: %'
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0022_failures_are_counted")]

    operations = [
        migrations.AddField(
            model_name="stripeevent",
            name="settled_by_hand",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Staff have dealt with what it tells, until one of them replays it.",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("settled_by_hand", False), ("state", "ignored"), _connector="OR"),
                name="stripe_event_settled_is_ignored",
            ),
        ),
    ]
