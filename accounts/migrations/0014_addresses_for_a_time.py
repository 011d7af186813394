"""The oldest acts of which it is known from where, for `prune`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_retired_customers"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="activityevent",
            index=models.Index(
                condition=models.Q(("ip__isnull", False), models.Q(("user_agent", ""), _negated=True), _connector="OR"),
                fields=["id"],
                name="activity_with_address",
            ),
        ),
    ]
