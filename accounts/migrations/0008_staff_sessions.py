"""Sessions that know whose they are, and end with their owner's right to be here."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.lib.clock

# Whoever changes a person, by whatever way: a session never outlives what it was opened with.
END = """
CREATE FUNCTION accounts_end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM accounts_staffsession WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_ends_sessions AFTER UPDATE OF status, is_staff, password ON accounts_user
    FOR EACH ROW
    WHEN (ROW(OLD.status, OLD.is_staff, OLD.password) IS DISTINCT FROM ROW(NEW.status, NEW.is_staff, NEW.password))
    EXECUTE FUNCTION accounts_end_sessions();
"""

LEAVE = """
DROP TRIGGER accounts_user_ends_sessions ON accounts_user;
DROP FUNCTION accounts_end_sessions();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_status_changes")]
    operations = [
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("started_at", models.DateTimeField(default=backoffice.lib.clock.now)),
                ("last_seen_at", models.DateTimeField(default=backoffice.lib.clock.now)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=400)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(END, LEAVE),
    ]
