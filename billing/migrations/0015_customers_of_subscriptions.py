"""Subscriptions know Stripe's customer, whose discount counts for all of them, and are listed by plan."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_refunds_by_status")]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="stripe_customer_id",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="subscription",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="That of its first item of a plan.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.plan",
            ),
        ),
        migrations.AlterField(
            model_name="subscriptionchange",
            name="rank",
            field=models.SmallIntegerField(help_text="The order within one second: by type, then by what each found."),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["plan", "started_at", "id"], name="subscription_by_plan"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("stripe_customer_id", ""), _negated=True),
                fields=["stripe_customer_id"],
                name="subscription_by_customer",
            ),
        ),
    ]
