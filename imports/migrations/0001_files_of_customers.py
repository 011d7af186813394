"""Files of customers that are handed in to be imported."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("jobs", "0002_deliver_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="As the file was called where it came from.", max_length=200)),
                (
                    "file",
                    models.CharField(blank=True, help_text="Empty: it is not kept, or not any more.", max_length=300),
                ),
                ("size", models.BigIntegerField(help_text="Bytes.")),
                ("lines", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "encoding",
                    models.CharField(
                        blank=True,
                        choices=[("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("windows-1252", "Windows-1252 (Latin-1)")],
                        max_length=16,
                    ),
                ),
                (
                    "updates",
                    models.BooleanField(default=False, help_text="Known customers are changed and not refused."),
                ),
                (
                    "ignores_unknown",
                    models.BooleanField(default=False, help_text="Columns that are not known are left out."),
                ),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                (
                    "report",
                    models.JSONField(
                        blank=True, help_text="What was found when it was last looked through.", null=True
                    ),
                ),
                ("imported_at", models.DateTimeField(blank=True, null=True)),
                (
                    "check_job",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="jobs.job",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a command.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "import_job",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="jobs.job",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["created_at", "id"], name="customerimport_by_time"),
                    models.Index(fields=["sha256"], name="customerimport_by_content"),
                    models.Index(
                        condition=models.Q(("file", ""), _negated=True),
                        fields=["created_at"],
                        name="customerimport_kept",
                    ),
                    models.Index(fields=["created_by"], name="customerimport_by_staff"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("encoding__in", ["", "utf-8", "utf-16", "windows-1252"])),
                        name="customerimport_encoding_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lines__gte", 0), ("size__gte", 0)), name="customerimport_size_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("imported_at__isnull", True), ("report__isnull", False), _connector="OR"),
                        name="customerimport_tells_what_it_did",
                    ),
                ],
            },
        ),
    ]
