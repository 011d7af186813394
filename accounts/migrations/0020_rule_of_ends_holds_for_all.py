"""Whoever is there already has no end without a suspension or a ban either."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_more_rules_of_people"),
    ]

    operations = [ValidateConstraint(model_name="user", name="user_active_has_no_end")]
