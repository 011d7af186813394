"""Permissions to take a statement along and to adjust allowances."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0008_lists_and_checks"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="credittransaction",
            options={
                "permissions": [
                    ("gift_credits", "Can gift credits"),
                    ("adjust_credits", "Can adjust balances and reverse entries"),
                    ("refund_usage", "Can refund usage"),
                    ("export_ledger", "Can export the ledger"),
                    ("export_statement", "Can take along the statement of a customer"),
                    ("adjust_allowance", "Can adjust monthly allowances"),
                ]
            },
        ),
    ]
