"""Draws learn when they were made: that of their entry, for all that were made so far."""

from django.db import migrations, models

# The guard against changes is taken off for this one fill and put back in the same transaction.
FILL = """
ALTER TABLE credits_creditdraw DISABLE TRIGGER credits_creditdraw_no_update;
UPDATE credits_creditdraw AS draw SET created_at = entry.created_at
FROM credits_credittransaction AS entry WHERE entry.id = draw.transaction_id;
ALTER TABLE credits_creditdraw ENABLE ALWAYS TRIGGER credits_creditdraw_no_update;
"""
# Consumption is counted by period from now on; what was used before belongs to none.
BEGIN_PERIODS = "UPDATE credits_creditaccount SET period_seq = seq"


class Migration(migrations.Migration):
    dependencies = [("credits", "0004_holds_debts_allowances")]
    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(BEGIN_PERIODS, migrations.RunSQL.noop),
        migrations.AlterField(model_name="creditdraw", name="created_at", field=models.DateTimeField()),
    ]
