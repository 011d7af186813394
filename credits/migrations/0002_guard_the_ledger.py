"""Entries and draws are append-only; of a lot only what remains changes; nothing of the ledger is ever removed."""

from django.db import migrations

from backoffice.lib import guards

LOT_FROZEN = [
    "id",
    "account_id",
    "transaction_id",
    "source_kind",
    "amount",
    "priority",
    "expires_at",
    "paid_minor",
    "currency",
    "created_at",
]


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_ledger")]
    operations = [
        migrations.RunSQL(guards.append_only("credits_credittransaction")),
        migrations.RunSQL(guards.append_only("credits_creditdraw")),
        migrations.RunSQL(guards.frozen_columns("credits_creditlot", LOT_FROZEN)),
        migrations.RunSQL(guards.no_removal("credits_creditlot")),
        migrations.RunSQL(guards.frozen_columns("credits_creditaccount", ["user_id"])),
        migrations.RunSQL(guards.no_removal("credits_creditaccount")),
    ]
