"""The totals above the customers list, and what lists remember of their readers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_staff_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerTotals",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField(default=backoffice.lib.clock.now)),
                ("customers", models.BigIntegerField()),
                ("joined_lately", models.BigIntegerField(help_text="In the 30 days before.")),
                ("joined_before", models.BigIntegerField(help_text="In the 30 days before those.")),
                ("paying", models.BigIntegerField(help_text="With a net spend above zero.")),
                ("average_balance", models.DecimalField(decimal_places=4, help_text="Credits.", max_digits=18)),
                (
                    "spend_minor",
                    models.BigIntegerField(help_text="Net succeeded payments of all time, in REPORTING_CURRENCY."),
                ),
            ],
            options={
                "verbose_name_plural": "customer totals",
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="totals_are_one_row")],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_key", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=2000)),
                ("is_shared", models.BooleanField(default=False, help_text="All who see the list see it too.")),
                ("created_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=backoffice.lib.clock.now, editable=False)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_filters",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [("share_savedfilter", "Can share saved filters with all staff")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ListPreference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_key", models.CharField(max_length=100)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), null=True, size=None
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "first_filter",
                    models.ForeignKey(
                        help_text="What the list opens with.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.savedfilter",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="savedfilter",
            index=models.Index(
                condition=models.Q(("is_shared", True)), fields=["list_key"], name="saved_filter_shared"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(fields=("owner", "list_key", "name"), name="saved_filter_name_once"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.CheckConstraint(condition=models.Q(("name__length__gt", 0)), name="saved_filter_named"),
        ),
        migrations.AddConstraint(
            model_name="listpreference",
            constraint=models.UniqueConstraint(fields=("staff", "list_key"), name="list_preference_once"),
        ),
    ]
