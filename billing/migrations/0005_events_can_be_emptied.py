"""What Stripe told of a person can be emptied when that person is to be forgotten, and can still not be rewritten."""

from django.db import migrations, models
from django.db.models.fields.json import KT

from backoffice.lib import guards

TABLE = "billing_stripeevent"
FROZEN = (
    "id",
    "stripe_id",
    "type",
    "api_version",
    "livemode",
    "stripe_created",
    "object_id",
    "payment_intent_id",
    "received_at",
)
GUARDS = (
    f"DROP TRIGGER {TABLE}_frozen ON {TABLE};\n"
    + guards.frozen_columns(TABLE, FROZEN)
    + guards.erasable_columns(TABLE, ["body"], emptied="''::bytea")
    + guards.erasable_columns(TABLE, ["payload"], emptied="NULL")
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_export_payments")]
    operations = [
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(KT("payload__data__object__customer"), name="stripe_event_by_customer"),
        ),
    ]
