"""The anchor of batches: the rows of many charges by plain set-based SQL, with nothing decided and nothing checked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

ACCOUNTS = """
SELECT account.user_id, account.seq, account.balance, lot.id
FROM credits_creditaccount AS account
CROSS JOIN LATERAL (SELECT id FROM credits_creditlot
                    WHERE account_id = account.user_id AND is_open AND remaining > %(spare)s
                    ORDER BY priority, expires_at NULLS LAST, paid_minor IS NOT NULL, id LIMIT 1) AS lot
WHERE account.user_id = ANY(%(people)s)
"""
IDS = "SELECT nextval(pg_get_serial_sequence('credits_credittransaction', 'id')) FROM generate_series(1, %s)"
COPY_ENTRIES = """
COPY credits_credittransaction (id, account_id, seq, kind, action_type, amount, balance_before, balance_after,
                                description, reference, metadata, event_at, created_at) FROM STDIN
"""
COPY_DRAWS = "COPY credits_creditdraw (transaction_id, lot_id, amount, created_at) FROM STDIN"
UPDATE_LOTS = """
UPDATE credits_creditlot AS lot SET remaining = remaining - spent.amount
FROM unnest(%s::bigint[], %s::int[]) AS spent(id, amount) WHERE lot.id = spent.id
"""
UPDATE_ACCOUNTS = """
UPDATE credits_creditaccount AS account
SET balance = balance - spent.amount, lots_total = lots_total - spent.amount, seq = seq + spent.amount,
    lifetime_consumed = lifetime_consumed + spent.amount,
    current_period_consumed = current_period_consumed + spent.amount, last_posted_at = %s, updated_at = %s
FROM unnest(%s::bigint[], %s::int[]) AS spent(id, amount) WHERE account.user_id = spent.id
"""


@dataclass(frozen=True)
class Rows:
    """What is to be written, rendered for COPY. Each charge takes one credit, so their number is what was spent."""

    moment: str
    entries: str
    draws: str
    people: Sequence[int]
    lots: Sequence[int]
    spent: Sequence[int]


def of(connection: psycopg.Connection, charged: Sequence[int]) -> Rows:
    """Work out the rows of one credit charged to each of these customers, in order."""
    charges = Counter(charged)
    people = sorted(charges)
    found = connection.execute(ACCOUNTS, {"spare": len(charged), "people": people}).fetchall()
    state = {pk: [seq, balance, lot] for pk, seq, balance, lot in found}
    ids = [pk for (pk,) in connection.execute(IDS, [len(charged)])]
    (moment,) = connection.execute("SELECT clock_timestamp()::text").fetchone() or [""]
    entries, draws = [], []
    for entry, person in zip(ids, charged, strict=True):
        seq, balance, lot = state[person]
        entries.append(
            f"{entry}\t{person}\t{seq + 1}\tusage\timage\t-1\t{balance}\t{balance - 1}\t\t\t{{}}\t{moment}\t{moment}\n"
        )
        draws.append(f"{entry}\t{lot}\t1\t{moment}\n")
        state[person] = [seq + 1, balance - 1, lot]
    return Rows(
        moment=moment,
        entries="".join(entries),
        draws="".join(draws),
        people=people,
        lots=[state[person][2] for person in people],
        spent=[charges[person] for person in people],
    )


def write(connection: psycopg.Connection, rows: Rows) -> None:
    """Write them in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy(COPY_ENTRIES) as copy:
            copy.write(rows.entries)
        with cursor.copy(COPY_DRAWS) as copy:
            copy.write(rows.draws)
        cursor.execute(UPDATE_LOTS, [rows.lots, rows.spent])
        cursor.execute(UPDATE_ACCOUNTS, [rows.moment, rows.moment, rows.people, rows.spent])
