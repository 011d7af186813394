"""Ids of Stripe's are looked up whole: one index is enough."""

from django.db import migrations

from backoffice.lib import pattern_indexes


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_export_packs"),
    ]

    operations = [
        pattern_indexes.drop(
            "billing_stripeevent_stripe_id_980dd6f2_like", table="billing_stripeevent", column="stripe_id"
        ),
        pattern_indexes.drop(
            "billing_payment_stripe_payment_id_6bef688d_like", table="billing_payment", column="stripe_payment_id"
        ),
    ]
