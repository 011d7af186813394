"""What happened to the status of customers, kept as evidence; the words of a reason can be emptied."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock
from backoffice.lib import guards

TABLE = "accounts_statuschange"
FACTS = ("id", "user_id", "old", "new", "until", "actor_id", "source", "key", "at")
GUARDS = guards.frozen_columns(TABLE, FACTS) + guards.erasable_columns(TABLE, ["reason"]) + guards.no_removal(TABLE)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_search_by_words"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="StatusChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "old",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended"), ("banned", "Banned")], max_length=16
                    ),
                ),
                (
                    "new",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended"), ("banned", "Banned")], max_length=16
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Emptied when the customer is anonymised.", max_length=500),
                ),
                (
                    "until",
                    models.DateTimeField(
                        blank=True, help_text="It ends by itself then; empty: until lifted.", null=True
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=64)),
                (
                    "key",
                    models.CharField(
                        blank=True,
                        help_text="Under which it was asked for and is done once.",
                        max_length=255,
                        null=True,
                        unique=True,
                    ),
                ),
                ("at", models.DateTimeField(default=backoffice.lib.clock.now)),
            ],
        ),
        migrations.AlterModelOptions(
            name="customer",
            options={
                "permissions": [
                    ("export_customers", "Can export the customers list"),
                    ("ban_user", "Can ban customers and lift bans"),
                    ("suspend_user", "Can suspend customers and lift suspensions"),
                ]
            },
        ),
        migrations.AlterField(
            model_name="user",
            name="status_until",
            field=models.DateTimeField(
                blank=True, help_text="A suspension or ban ends then; empty: until lifted.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("status_until__isnull", False)), fields=["status_until"], name="user_status_ends"
            ),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty: the system.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="status_changes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="statuschange",
            index=models.Index(fields=["user", "-id"], name="status_change_of_user"),
        ),
        migrations.AddIndex(
            model_name="statuschange",
            index=models.Index(fields=["actor"], name="status_change_by_actor"),
        ),
        migrations.AddConstraint(
            model_name="statuschange",
            constraint=models.CheckConstraint(
                condition=models.Q(("old__in", ["active", "suspended", "banned"])), name="status_change_old_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="statuschange",
            constraint=models.CheckConstraint(
                condition=models.Q(("new__in", ["active", "suspended", "banned"])), name="status_change_new_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="statuschange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("new", "active"), _negated=True),
                    models.Q(("until__isnull", True), models.Q(("old", "active"), _negated=True)),
                    _connector="OR",
                ),
                name="status_change_to_active_ends_something",
            ),
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
