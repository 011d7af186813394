"""What went back by a charge alone is found by when the charge said so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_ask_for_fees")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("charge_refunded_minor__gt", 0)),
                fields=["charge_as_of"],
                name="payment_refunded_by_charge",
            ),
        ),
    ]
