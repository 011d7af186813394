"""What old events said can go, and leaves its hash: the true one, once and for all."""

from django.db import migrations, models

# A hash is written once, with the bytes that it is of.
GUARD = """
CREATE TRIGGER billing_stripeevent_hash BEFORE UPDATE OF body_sha256 ON billing_stripeevent FOR EACH ROW
WHEN (
    NEW.body_sha256 IS DISTINCT FROM OLD.body_sha256
    AND (OLD.body_sha256 <> '' OR OLD.body = '' OR NEW.body_sha256 <> encode(sha256(OLD.body), 'hex'))
)
EXECUTE FUNCTION backoffice_refuse_change();
ALTER TABLE billing_stripeevent ENABLE ALWAYS TRIGGER billing_stripeevent_hash;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_events_can_be_emptied"),
    ]

    operations = [
        migrations.AddField(
            model_name="stripeevent",
            name="body_sha256",
            field=models.CharField(
                blank=True,
                help_text="In hex, of the bytes that were removed for their age; empty before.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("body", b""), _negated=True),
                fields=["received_at"],
                name="stripe_event_with_content",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("body_sha256", ""), models.Q(("body", b""), ("payload__isnull", True)), _connector="OR"
                ),
                name="stripe_event_hash_of_what_went",
            ),
        ),
        migrations.RunSQL(GUARD, "DROP TRIGGER billing_stripeevent_hash ON billing_stripeevent"),
    ]
