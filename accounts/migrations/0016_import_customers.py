"""The permission to import customers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_search_in_order_of_joining"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customer",
            options={
                "permissions": [
                    ("export_customers", "Can export the customers list"),
                    ("import_customers", "Can import customers from files"),
                    ("ban_user", "Can ban customers and lift bans"),
                    ("suspend_user", "Can suspend customers and lift suspensions"),
                    ("reset_password", "Can have customers asked for a new password"),
                    ("merge_customers", "Can merge customers"),
                    ("anonymise_customer", "Can anonymise customers"),
                ]
            },
        ),
    ]
