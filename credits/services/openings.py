"""Opening balances: what customers of another system bring along, as adjustments with their value and expiry.

Once for each customer, under a key of their own. Staged beside the customers of an intake
(``accounts.services.intake``), in the same transaction.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import User
from backoffice.lib.statements import copy_in
from credits.errors import OpeningRefused
from credits.kinds import TransactionKind
from credits.limits import Limit
from credits.postings import Posting, Rejection
from credits.services.posting import post_batch
from jobs.services import count_use

COLUMNS = ("line", "amount", "value_minor", "currency", "expires_at")
POSTED_AT_ONCE = 5_000
KEY = "import:opening:"
DESCRIPTION = "Opening balance"

BEGIN = """
DROP TABLE IF EXISTS incoming_openings;
CREATE TEMPORARY TABLE incoming_openings (
    line bigint, amount numeric, value_minor bigint, currency text, expires_at timestamptz,
    is_booked boolean NOT NULL DEFAULT false
) ON COMMIT DROP
"""
NOTE_BOOKED = """
UPDATE incoming_openings AS opening SET is_booked = true
FROM incoming_customers AS row, credits_idempotencyrecord AS used
WHERE row.line = opening.line AND used.key = %s || row.user_id;
ANALYZE incoming_openings
"""
SUMS = "SELECT count(*), coalesce(sum(amount), 0), coalesce(max(amount), 0) FROM incoming_openings WHERE NOT is_booked"
NEXT = """
SELECT opening.line, row.user_id, opening.amount, opening.value_minor, opening.currency, opening.expires_at
FROM incoming_openings AS opening JOIN incoming_customers AS row USING (line)
WHERE NOT opening.is_booked AND row.user_id > %s ORDER BY row.user_id LIMIT %s
"""


def begin() -> None:
    """Make room for the openings, until the transaction ends."""
    _run(BEGIN)


def take(rows: Sequence[tuple[Any, ...]]) -> None:
    """Stage rows of COLUMNS."""
    copy_in("incoming_openings", COLUMNS, rows)


def match() -> tuple[int, Decimal, Decimal]:
    """Find who has an opening balance already; of the others their number, the sum and the largest, in credits."""
    _run(NOTE_BOOKED, [KEY])
    with connection.cursor() as cursor:
        cursor.execute(SUMS)
        number, total, largest = cursor.fetchone() or (0, Decimal(0), Decimal(0))
    return number, total, largest


def count_against_limit(*, staff: User, total: Decimal, largest: Decimal, key: str) -> None:
    """Count the openings as the adjustments that they are, after ``lock_staff``. Raises LimitExceeded."""
    count_use(staff=staff, verb=Limit.ADJUST, amount=total, largest=largest, key=key)


def post(*, actor: User | None) -> Iterator[int]:
    """Book the openings; yields the number of them after each batch. Raises OpeningRefused.

    The customers of the intake are written, or at least numbered.
    """
    _run("CREATE INDEX ON incoming_openings (line); ANALYZE incoming_customers, incoming_openings")
    after = 0
    while rows := _next(after):
        outcomes = post_batch([_posting(row, actor) for row in rows])
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, Rejection):
                raise OpeningRefused(row[0], outcome.error)
        after = rows[-1][1]
        yield len(rows)


def _next(after: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(NEXT, [after, POSTED_AT_ONCE])
        return list(cursor.fetchall())


def _posting(row: tuple[Any, ...], actor: User | None) -> Posting:
    _, user_id, amount, value_minor, currency, expires_at = row
    return Posting(
        user_id=user_id,
        kind=TransactionKind.ADJUSTMENT,
        amount=amount,
        idempotency_key=f"{KEY}{user_id}",
        description=DESCRIPTION,
        actor_id=actor.pk if actor else None,
        paid_minor=value_minor,
        currency=currency or "",
        expires_at=expires_at,
    )


def _run(statement: str, parameters: Sequence[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
