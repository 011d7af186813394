"""The permission to take the payments along."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_guard_the_payments"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="payment",
            options={"permissions": [("export_payments", "Can export the payments")]},
        ),
    ]
