"""Notes on customers, tags, and whom each tag is on."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_totals_and_preferences"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("mute", "Grey"),
                            ("info", "Blue"),
                            ("ok", "Green"),
                            ("warn", "Amber"),
                            ("bad", "Red"),
                        ],
                        default="mute",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
            ],
            options={
                "permissions": [("tag_customers", "Can put tags on customers and take them off")],
                "indexes": [models.Index(fields=["name", "id"], name="tag_by_name")],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        name="tag_name_unique",
                        violation_error_message="There is a tag of this name.",
                    ),
                    models.CheckConstraint(condition=models.Q(("name__length__gt", 0)), name="tag_named"),
                    models.CheckConstraint(
                        condition=models.Q(("colour__in", ["mute", "info", "ok", "warn", "bad"])),
                        name="tag_colour_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(max_length=4000)),
                ("is_pinned", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "permissions": [("delete_any_note", "Can delete notes of others")],
                "indexes": [models.Index(fields=["user", "-is_pinned", "-id"], name="note_of_user")],
            },
        ),
        migrations.CreateModel(
            name="CustomerTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tagged",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tagged",
                        to="accounts.tag",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["tag", "user"], name="customer_tag_by_tag")],
                "constraints": [models.UniqueConstraint(fields=("user", "tag"), name="customer_tag_once")],
            },
        ),
    ]
