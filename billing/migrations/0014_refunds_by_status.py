"""The list of refunds by status goes by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_reconciliation")]

    operations = [
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["status", "refunded_at", "id"], name="refund_by_status"),
        ),
    ]
