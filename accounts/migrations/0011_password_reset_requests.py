"""Requests that customers be given a new password, kept as evidence."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock
from backoffice.lib import guards


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_notes_and_tags"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customer",
            options={
                "permissions": [
                    ("export_customers", "Can export the customers list"),
                    ("ban_user", "Can ban customers and lift bans"),
                    ("suspend_user", "Can suspend customers and lift suspensions"),
                    ("reset_password", "Can have customers asked for a new password"),
                ]
            },
        ),
        migrations.CreateModel(
            name="PasswordResetRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "way",
                    models.CharField(
                        choices=[("product", "The product is told"), ("mail", "We mail a link")], max_length=16
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Under which it was asked for and is done once.", max_length=255, unique=True
                    ),
                ),
                ("at", models.DateTimeField(default=backoffice.lib.clock.now)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reset_requests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("way__in", ["product", "mail"])), name="reset_request_way_known"
                    )
                ],
            },
        ),
        migrations.RunSQL(guards.append_only("accounts_passwordresetrequest"), migrations.RunSQL.noop),
    ]
