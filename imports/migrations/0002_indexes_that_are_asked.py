"""Files whose time is over are found without an index: there are few; and one on who handed a file in is enough."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_files_of_customers"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="customerimport",
            name="customerimport_kept",
        ),
        migrations.RemoveIndex(
            model_name="customerimport",
            name="customerimport_by_staff",
        ),
    ]
