"""Entries know their customer without a look at the account. No column: nothing changes in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0009_statement_and_allowance_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="credittransaction",
            name="customer",
            field=models.ForeignObject(
                editable=False,
                from_fields=["account"],
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                to_fields=["id"],
            ),
        ),
    ]
