"""Each index is written with each row, so there is none that no question needs; and what is asked of large tables has
one."""

import pytest
from django.db import connection

from jobs.models import Job, JobState, OutboxMessage
from jobs.selectors import messages_of_person

pytestmark = pytest.mark.django_db

# Django makes these for every relation of many to many.
OF_DJANGO = ("accounts_user_groups", "accounts_user_user_permissions")
REPEATED = """
SELECT short.indexrelid::regclass::text, long.indexrelid::regclass::text
FROM pg_index AS short JOIN pg_index AS long USING (indrelid)
WHERE short.indexrelid <> long.indexrelid AND NOT short.indisunique
  AND short.indexprs IS NULL AND long.indexprs IS NULL
  AND pg_get_expr(short.indpred, indrelid) IS NOT DISTINCT FROM pg_get_expr(long.indpred, indrelid)
  AND long.indkey::text || ' ' LIKE short.indkey::text || ' %%'
  AND long.indclass::text || ' ' LIKE short.indclass::text || ' %%'
  AND indrelid::regclass::text ~ %s AND NOT indrelid::regclass::text = ANY (%s)
"""


def rows(query, parameters):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def test_no_index_is_the_beginning_of_another_one():
    assert rows(REPEATED, ["^(accounts|audit|billing|credits|imports|jobs)_", list(OF_DJANGO)]) == []


@pytest.mark.parametrize(
    "table",
    ["credits_idempotencyrecord", "jobs_outboxmessage", "jobs_limituse", "billing_stripeevent", "billing_payment"],
)
def test_keys_that_are_looked_up_whole_have_one_index(table):
    patterns = "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%varchar_pattern_ops%%'"
    assert rows(patterns, [table]) == []


@pytest.mark.parametrize(
    ("model", "question"),
    [
        (OutboxMessage, lambda: messages_of_person([1, 2], email="Ada@example.com")),
        (Job, lambda: Job.objects.filter(state=JobState.DRAFT, created_at__lt="2026-01-01T00:00:00Z")),
    ],
)
def test_who_is_to_be_forgotten_and_what_is_swept_is_found_by_indexes(model, question):
    with connection.cursor() as cursor:
        # So few rows would be read whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert f"Seq Scan on {model._meta.db_table}" not in question().explain()
