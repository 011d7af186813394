"""The words that customers are found by, kept by the database itself: no service, import or shell can forget them.

A word is what stands between anything but letters and digits, in lower case, without accents and in one form of each
letter (NFKC). Ids are kept whole beside their words. The ``simple`` configuration would do the rest the same way, but
its parser takes addresses and numbers apart by rules of its own, so the vector is made of the words as they are.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A letter of Unicode may stand for many, and a vector takes no word of more than 2,046 bytes.
FUNCTIONS = r"""
CREATE FUNCTION accounts_search_words(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT left(word, 255)
        FROM regexp_split_to_table(
            lower(normalize(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]+', '', 'g'), NFKC)),
            '[^[:alnum:]]+') AS word
        WHERE word <> '')
$$;

CREATE FUNCTION accounts_search_document(email text, full_name text, external_id text, stripe_customer_id text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(
        accounts_search_words(concat_ws(' ', email, full_name, external_id, stripe_customer_id))
        || lower(external_id) || lower(stripe_customer_id), NULL))
$$;
"""

FOLLOW = """
CREATE FUNCTION accounts_open_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_customersearch (user_id, document)
    SELECT id, accounts_search_document(email, full_name, external_id, stripe_customer_id) FROM new_users;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_opens_search AFTER INSERT ON accounts_user
    REFERENCING NEW TABLE AS new_users FOR EACH STATEMENT EXECUTE FUNCTION accounts_open_search();

CREATE FUNCTION accounts_copy_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_customersearch
    SET document = accounts_search_document(NEW.email, NEW.full_name, NEW.external_id, NEW.stripe_customer_id)
    WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_copies_search
    AFTER UPDATE OF email, full_name, external_id, stripe_customer_id ON accounts_user
    FOR EACH ROW
    WHEN (ROW(OLD.email, OLD.full_name, OLD.external_id, OLD.stripe_customer_id)
          IS DISTINCT FROM ROW(NEW.email, NEW.full_name, NEW.external_id, NEW.stripe_customer_id))
    EXECUTE FUNCTION accounts_copy_search();

INSERT INTO accounts_customersearch (user_id, document)
SELECT id, accounts_search_document(email, full_name, external_id, stripe_customer_id) FROM accounts_user;
-- What is checked at commit stands in the way of the index.
SET CONSTRAINTS ALL IMMEDIATE;
"""

UNFOLLOW = """
DROP TRIGGER accounts_user_copies_search ON accounts_user;
DROP FUNCTION accounts_copy_search();
DROP TRIGGER accounts_user_opens_search ON accounts_user;
DROP FUNCTION accounts_open_search();
"""

NO_FUNCTIONS = """
DROP FUNCTION accounts_search_document(text, text, text, text);
DROP FUNCTION accounts_search_words(text);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_default_roles")]
    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.CreateModel(
            name="CustomerSearch",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_row",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("document", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        # After the rows: an index over what is there is made in seconds.
        migrations.AddIndex(
            model_name="customersearch",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=True, fields=["document"], name="customer_by_words"
            ),
        ),
    ]
