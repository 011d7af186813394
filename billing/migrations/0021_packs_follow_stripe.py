"""What Stripe says of a pack's credits is kept beside them, so that they follow it until staff write others."""

from decimal import Decimal

from django.db import migrations, models

# What the last stored word on each price promises, as billing.readings.catalogue reads it; where none is, staff's stay.
FILL = """
UPDATE billing_creditpack AS pack SET stripe_credits = told.credits::numeric
FROM (
    SELECT DISTINCT ON (object_id) object_id,
           trim(coalesce(nullif(payload #>> '{data,object,metadata,monthly_credits}', ''),
                         payload #>> '{data,object,metadata,credits}')) AS credits
    FROM billing_stripeevent
    WHERE object_id IN (SELECT stripe_price_id FROM billing_creditpack)
        AND type IN ('price.created', 'price.updated', 'price.deleted') AND payload IS NOT NULL
    ORDER BY object_id, stripe_created DESC NULLS LAST, id DESC
) AS told
WHERE told.object_id = pack.stripe_price_id AND told.credits ~ '^[0-9]{1,9}([.][0-9]{1,4})?$'
    AND told.credits::numeric > 0
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0020_refunds_by_charge_have_a_day")]

    operations = [
        migrations.AddField(
            model_name="creditpack",
            name="stripe_credits",
            field=models.DecimalField(blank=True, decimal_places=4, editable=False, max_digits=18, null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="creditpack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("stripe_credits__isnull", True),
                    models.Q(("stripe_credits__gt", 0), ("stripe_credits__lte", Decimal(1_000_000_000))),
                    _connector="OR",
                ),
                name="pack_stripe_credits_range",
            ),
        ),
    ]
