"""Search by id without walking the log; and the actor is checked as an entry is written, not at commit.

A deferred check of the actor would run after the entry is sealed, and wait for the actor's row while it holds the lock
on the head of the chain.
"""

from django.db import migrations, models

ACTOR_AT_ONCE = """
DO $$
DECLARE
    name text;
BEGIN
    SELECT conname INTO STRICT name FROM pg_constraint
    WHERE conrelid = 'audit_auditentry'::regclass AND contype = 'f';
    EXECUTE format('ALTER TABLE audit_auditentry ALTER CONSTRAINT %I NOT DEFERRABLE', name);
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_seal_and_guard")]
    operations = [
        migrations.RunSQL(ACTOR_AT_ONCE),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["resource_id"], name="audit_by_resource_id"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True), fields=["request_id"], name="audit_by_request"
            ),
        ),
    ]
