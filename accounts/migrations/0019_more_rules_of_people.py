"""Rules that services kept alone so far: what ends by itself, what a note says, into whom somebody is merged."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_figures_proofs"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="retiredcustomer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("into__isnull", True), models.Q(("into", models.F("user")), _negated=True), _connector="OR"
                ),
                name="retired_not_into_themselves",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="note_says_something"
            ),
        ),
        # Holds for new rows at once. The next one looks at those that are there, while others go on writing.
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status_until__isnull", True), models.Q(("status", "active"), _negated=True), _connector="OR"
                ),
                name="user_active_has_no_end",
            ),
        ),
    ]
