"""What became of customers who were merged into others or anonymised."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_roles"),
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
                    ("merge_customers", "Can merge customers"),
                    ("anonymise_customer", "Can anonymise customers"),
                ]
            },
        ),
        migrations.CreateModel(
            name="RetiredCustomer",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="retirement",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "fate",
                    models.CharField(
                        choices=[("merged", "Merged into another"), ("anonymised", "Anonymised")], max_length=16
                    ),
                ),
                ("former_id", models.CharField(blank=True, max_length=128, null=True, unique=True)),
                ("at", models.DateTimeField(default=backoffice.lib.clock.now)),
                (
                    "into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absorbed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fate", "merged"), ("into__isnull", False)),
                            models.Q(("fate", "anonymised"), ("into__isnull", True)),
                            _connector="OR",
                        ),
                        name="retired_merged_into_somebody",
                    )
                ],
            },
        ),
    ]
