"""A row of figures for every person, and the copies in it kept by the database itself.

A statement trigger on insert, so that importing many thousands of people costs one more statement; a row trigger on
update, which fires only when one of the copied columns is written and differs.
"""

from django.db import migrations

FOLLOW = """
CREATE FUNCTION accounts_open_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_customerfigures (user_id, balance, spend_minor, total_generations, last_active_at,
                                          status, plan, country, source, joined)
    SELECT id, 0, 0, 0, coalesce(last_active_at, date_joined), status, plan, country, signup_source, date_joined
    FROM new_users;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_opens_figures AFTER INSERT ON accounts_user
    REFERENCING NEW TABLE AS new_users FOR EACH STATEMENT EXECUTE FUNCTION accounts_open_figures();

CREATE FUNCTION accounts_copy_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_customerfigures
    SET last_active_at = coalesce(NEW.last_active_at, NEW.date_joined), status = NEW.status, plan = NEW.plan,
        country = NEW.country, source = NEW.signup_source, joined = NEW.date_joined
    WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_copies_figures
    AFTER UPDATE OF last_active_at, status, plan, country, signup_source, date_joined ON accounts_user
    FOR EACH ROW
    WHEN (ROW(OLD.last_active_at, OLD.status, OLD.plan, OLD.country, OLD.signup_source, OLD.date_joined)
          IS DISTINCT FROM
          ROW(NEW.last_active_at, NEW.status, NEW.plan, NEW.country, NEW.signup_source, NEW.date_joined))
    EXECUTE FUNCTION accounts_copy_figures();
"""

UNFOLLOW = """
DROP TRIGGER accounts_user_copies_figures ON accounts_user;
DROP FUNCTION accounts_copy_figures();
DROP TRIGGER accounts_user_opens_figures ON accounts_user;
DROP FUNCTION accounts_open_figures();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_people_activity_figures")]
    operations = [migrations.RunSQL(FOLLOW, UNFOLLOW)]
