"""Of a debt only what remains changes, of a hold only how it ended; nothing of them is ever removed."""

from django.db import migrations

from backoffice.lib import guards

DEBT_FROZEN = ["id", "transaction_id", "account_id", "amount", "created_at"]
HOLD_FROZEN = ["id", "account_id", "amount", "reference", "expires_at", "created_at"]

# Accounts, lots and figures change with each act in columns that no index names: with room on their page the new
# version of the row stays there, and no index has to be touched.
LEAVE_ROOM = """
ALTER TABLE credits_creditaccount SET (fillfactor = 80);
ALTER TABLE credits_creditlot SET (fillfactor = 80);
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0005_draws_have_times")]
    operations = [
        migrations.RunSQL(guards.frozen_columns("credits_creditdebt", DEBT_FROZEN)),
        migrations.RunSQL(guards.no_removal("credits_creditdebt")),
        migrations.RunSQL(guards.frozen_columns("credits_credithold", HOLD_FROZEN)),
        migrations.RunSQL(guards.no_removal("credits_credithold")),
        migrations.RunSQL(guards.frozen_columns("credits_creditlot", ["parent_id"], name="parent")),
        migrations.RunSQL(guards.append_only("credits_integrityrun")),
        migrations.RunSQL(LEAVE_ROOM, migrations.RunSQL.noop),
    ]
