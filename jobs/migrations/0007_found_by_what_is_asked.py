"""Indexes for what is asked, none for what is not, and bounds for what is asked of a second person."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from backoffice.lib import pattern_indexes


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0006_contents_for_a_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("state", "draft")), fields=["created_at"], name="job_draft"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(
                django.db.models.functions.text.Upper("recipient"),
                condition=models.Q(("recipient", ""), _negated=True),
                name="message_by_recipient",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("amount__lt", 100000000000000)), name="approval_amount_bounds"
            ),
        ),
        pattern_indexes.drop("jobs_outboxmessage_key_a68bb4c6_like", table="jobs_outboxmessage", column="key"),
        pattern_indexes.drop("jobs_limituse_key_50a312af_like", table="jobs_limituse", column="key"),
        pattern_indexes.drop("jobs_approval_token_51cc5efd_like", table="jobs_approval", column="token"),
        pattern_indexes.drop("jobs_job_token_76fe4ffa_like", table="jobs_job", column="token"),
    ]
