"""The permission to take the packs along."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_events_for_a_time"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="creditpack",
            options={
                "ordering": ["position", "id"],
                "permissions": [("export_creditpacks", "Can export the credit packs")],
            },
        ),
    ]
