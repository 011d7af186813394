"""The hash chain of the audit log, and the guards that keep its rows as they were written.

Entries are sealed by a deferred trigger, as the transaction commits: the lock on the head of the chain is the last
one a transaction takes, so it never waits for another lock while it holds it. The function runs with the rights of
the tables' owner; the runtime role can neither write the chain's columns nor its head.
"""

from django.db import migrations

from backoffice.lib import guards

SEAL = """
INSERT INTO audit_chainhead (id, seq, hash) VALUES (1, 0, repeat('0', 64));

CREATE FUNCTION audit_entry_hash(entry audit_auditentry, seq bigint, prev_hash text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        prev_hash, seq, entry.id, to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        entry.actor_id, entry.actor_label, entry.action, entry.resource_type, entry.resource_id,
        entry.resource_label, entry.old_values, entry.new_values, entry.reason, host(entry.ip), entry.user_agent,
        entry.request_id)::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION audit_seal_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    head audit_chainhead;
    sealed text;
BEGIN
    SELECT * INTO STRICT head FROM audit_chainhead WHERE id = 1 FOR UPDATE;
    sealed := audit_entry_hash(NEW, head.seq + 1, head.hash);
    UPDATE audit_auditentry SET seq = head.seq + 1, prev_hash = head.hash, hash = sealed WHERE id = NEW.id;
    UPDATE audit_chainhead SET seq = head.seq + 1, hash = sealed WHERE id = 1;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER audit_auditentry_seal AFTER INSERT ON audit_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_seal_entry();

-- An entry comes unsealed, and is written to once more: by its seal.
CREATE TRIGGER audit_auditentry_unsealed BEFORE INSERT ON audit_auditentry FOR EACH ROW
    WHEN (NEW.seq IS NOT NULL OR NEW.prev_hash IS NOT NULL OR NEW.hash IS NOT NULL)
    EXECUTE FUNCTION backoffice_refuse_change();
CREATE TRIGGER audit_auditentry_no_update BEFORE UPDATE ON audit_auditentry FOR EACH ROW
    WHEN (OLD.seq IS NOT NULL OR NEW.seq IS NULL
          OR ROW(OLD.id, OLD.at, OLD.actor_id, OLD.actor_label, OLD.action, OLD.resource_type, OLD.resource_id,
                 OLD.resource_label, OLD.old_values, OLD.new_values, OLD.reason, OLD.ip, OLD.user_agent,
                 OLD.request_id)
          IS DISTINCT FROM
             ROW(NEW.id, NEW.at, NEW.actor_id, NEW.actor_label, NEW.action, NEW.resource_type, NEW.resource_id,
                 NEW.resource_label, NEW.old_values, NEW.new_values, NEW.reason, NEW.ip, NEW.user_agent,
                 NEW.request_id))
    EXECUTE FUNCTION backoffice_refuse_change();
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_seal;
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_unsealed;
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_no_update;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit_log")]
    # There is no way back: a log that can be unguarded by a migration is no evidence.
    operations = [
        migrations.RunSQL(guards.REFUSE_CHANGE + SEAL),
        migrations.RunSQL(guards.no_removal("audit_auditentry")),
        migrations.RunSQL(guards.no_removal("audit_chainhead")),
    ]
