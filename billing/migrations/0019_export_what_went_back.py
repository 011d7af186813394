from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_subscription_lists"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="dispute",
            options={"permissions": [("export_disputes", "Can export the disputes")]},
        ),
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "permissions": [
                    ("read_paymentmethods", "Can read the payment methods of customers in Stripe"),
                    ("export_invoices", "Can export the invoices"),
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="refund",
            options={"permissions": [("export_refunds", "Can export the refunds")]},
        ),
        migrations.AlterModelOptions(
            name="syncstate",
            options={
                "permissions": [("sync_stripe", "Can sync with Stripe")],
                "verbose_name": "Stripe sync",
                "verbose_name_plural": "Stripe syncs",
            },
        ),
        migrations.AlterField(
            model_name="exchangerate",
            name="rate",
            field=models.DecimalField(
                decimal_places=10,
                help_text="How many of the quote one of the base buys, such as 1.0875.",
                max_digits=20,
            ),
        ),
    ]
