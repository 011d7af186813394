"""A charge writes one index for its key, not two."""

from django.db import migrations

from backoffice.lib import pattern_indexes


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0010_customers_of_entries"),
    ]

    operations = [
        pattern_indexes.drop(
            "credits_idempotencyrecord_key_938a2ba2_like", table="credits_idempotencyrecord", column="key"
        ),
    ]
