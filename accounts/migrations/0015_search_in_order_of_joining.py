"""When somebody joined stands beside the words they are found by: a search in that order reads one narrow table."""

import django.contrib.postgres.indexes
from django.db import migrations, models

FILL = """
UPDATE accounts_customersearch AS words SET joined = person.date_joined, is_staff = person.is_staff
FROM accounts_user AS person WHERE person.id = words.user_id;

CREATE OR REPLACE FUNCTION accounts_open_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_customersearch (user_id, document, joined, is_staff)
    SELECT id, accounts_search_document(email, full_name, external_id, stripe_customer_id), date_joined, is_staff
    FROM new_users;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION accounts_copy_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_customersearch
    SET document = accounts_search_document(NEW.email, NEW.full_name, NEW.external_id, NEW.stripe_customer_id),
        joined = NEW.date_joined, is_staff = NEW.is_staff
    WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
DROP TRIGGER accounts_user_copies_search ON accounts_user;
CREATE TRIGGER accounts_user_copies_search
    AFTER UPDATE OF email, full_name, external_id, stripe_customer_id, date_joined, is_staff ON accounts_user
    FOR EACH ROW
    WHEN (ROW(OLD.email, OLD.full_name, OLD.external_id, OLD.stripe_customer_id, OLD.date_joined, OLD.is_staff)
          IS DISTINCT FROM
          ROW(NEW.email, NEW.full_name, NEW.external_id, NEW.stripe_customer_id, NEW.date_joined, NEW.is_staff))
    EXECUTE FUNCTION accounts_copy_search();
"""

UNFILL = """
CREATE OR REPLACE FUNCTION accounts_open_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_customersearch (user_id, document)
    SELECT id, accounts_search_document(email, full_name, external_id, stripe_customer_id) FROM new_users;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION accounts_copy_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_customersearch
    SET document = accounts_search_document(NEW.email, NEW.full_name, NEW.external_id, NEW.stripe_customer_id)
    WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_addresses_for_a_time")]
    operations = [
        # Without it while each row is written anew, and over all of them at once afterwards.
        migrations.RemoveIndex(model_name="customersearch", name="customer_by_words"),
        migrations.AddField(model_name="customersearch", name="joined", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="customersearch", name="is_staff", field=models.BooleanField(null=True)),
        migrations.RunSQL(FILL, UNFILL),
        migrations.AlterField(model_name="customersearch", name="joined", field=models.DateTimeField()),
        migrations.AlterField(model_name="customersearch", name="is_staff", field=models.BooleanField()),
        migrations.AddIndex(
            model_name="customersearch",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=True, fields=["document"], name="customer_by_words"
            ),
        ),
        migrations.AddIndex(
            model_name="customersearch",
            index=models.Index(
                condition=models.Q(("is_staff", False)), fields=["joined", "user"], name="customer_words_by_joined"
            ),
        ),
    ]
