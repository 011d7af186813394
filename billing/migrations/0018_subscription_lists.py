"""The lists of subscriptions: those that are about to end by an index, and who takes them along as a file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0017_revenue_by_charges")]

    operations = [
        migrations.AlterModelOptions(
            name="subscription",
            options={"permissions": [("export_subscriptions", "Can export the subscriptions")]},
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("cancel_at_period_end", True), ("ended_at__isnull", True)),
                fields=["started_at", "id"],
                name="subscription_leaving",
            ),
        ),
    ]
