"""The balance that lists sort by moves out of the row of figures, which it kept from staying where it is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FOLLOW = """
INSERT INTO accounts_customerbalance (user_id, balance) SELECT user_id, balance FROM accounts_customerfigures;

CREATE FUNCTION accounts_open_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_customerbalance (user_id, balance) SELECT user_id, balance FROM new_figures;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_figures_open_balances AFTER INSERT ON accounts_customerfigures
    REFERENCING NEW TABLE AS new_figures FOR EACH STATEMENT EXECUTE FUNCTION accounts_open_balances();

-- Room on the page for the next version of a row, so that no index has to be touched.
ALTER TABLE accounts_customerfigures SET (fillfactor = 80);
ALTER TABLE accounts_customerbalance SET (fillfactor = 80);
"""

UNFOLLOW = """
DROP TRIGGER accounts_figures_open_balances ON accounts_customerfigures;
DROP FUNCTION accounts_open_balances();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_api_keys_and_visitors")]
    operations = [
        migrations.CreateModel(
            name="CustomerBalance",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="balance_row",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("balance", models.DecimalField(decimal_places=4, max_digits=18)),
            ],
            options={"indexes": [models.Index(fields=["balance", "user"], name="customer_by_balance")]},
        ),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        migrations.RemoveIndex(model_name="customerfigures", name="figures_by_balance"),
    ]
