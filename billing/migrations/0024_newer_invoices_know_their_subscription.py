"""Invoices name their subscription below their parent since 2025-03-31. Events of them that were kept before events had
that column learn it, as 0010 did it for the older shape."""

from django.db import migrations

from backoffice.lib import guards

EVENT_LINKS = ("invoice_id", "subscription_id", "source")

FILL = """
UPDATE billing_stripeevent AS event SET subscription_id = told.subscription
FROM (
    SELECT id, coalesce(named ->> 'id', named #>> '{}') AS subscription
    FROM (
        SELECT id, payload #> '{data,object,parent,subscription_details,subscription}' AS named
        FROM billing_stripeevent WHERE subscription_id = '' AND payload IS NOT NULL
    ) AS event
    WHERE jsonb_typeof(named) IN ('string', 'object')
) AS told
WHERE told.id = event.id AND told.subscription ~ '^[A-Za-z0-9_.:-]{1,200}$'
"""

# What a link was kept as stays; only here is one made good that was missed.
FILL_FROZEN = (
    "DROP TRIGGER billing_stripeevent_frozen_links ON billing_stripeevent;\n"
    + FILL
    + ";\n"
    + guards.frozen_columns("billing_stripeevent", EVENT_LINKS, name="links")
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0023_settled_by_hand")]
    operations = [migrations.RunSQL(FILL_FROZEN, migrations.RunSQL.noop)]
