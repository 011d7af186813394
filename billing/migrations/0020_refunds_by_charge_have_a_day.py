"""What went back by a charge alone keeps the day on which the charge first said so."""

from django.db import migrations, models

# What is known of those before: when the charge said it last.
FILL = """
UPDATE billing_payment SET charge_refunded_at = coalesce(charge_as_of, paid_at) WHERE charge_refunded_minor > 0
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0019_export_what_went_back")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="charge_refunded_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge_refunded_at__isnull", True), ("charge_refunded_minor", 0)),
                    models.Q(("charge_refunded_at__isnull", False), ("charge_refunded_minor__gt", 0)),
                    _connector="OR",
                ),
                name="payment_refunded_by_charge_has_its_day",
            ),
        ),
        migrations.RemoveIndex(
            model_name="payment",
            name="payment_refunded_by_charge",
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("charge_refunded_minor__gt", 0)),
                fields=["charge_refunded_at"],
                name="payment_refunded_by_charge",
            ),
        ),
    ]
