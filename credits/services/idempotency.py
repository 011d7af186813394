"""One effect for one key: what a key was first used for and how that ended."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from psycopg.errors import DeadlockDetected

from backoffice.lib import statements
from credits.models import IdempotencyRecord
from credits.postings import Act

INSERT = """
INSERT INTO credits_idempotencyrecord (key, fingerprint, result, created_at)
SELECT key, fingerprint, result, %s FROM unnest(%s::text[], %s::text[], %s::jsonb[]) AS new(key, fingerprint, result)
"""


def save(records: Sequence[tuple[str, str, dict[str, Any]]], *, now: datetime) -> None:
    """Record key, fingerprint and result of first uses. A key recorded meanwhile raises IntegrityError."""
    if not records:
        return
    # In one order for all writers: two that share keys queue instead of deadlocking.
    keys, fingerprints, results = zip(*sorted(records, key=lambda record: record[0]), strict=True)
    written = [json.dumps(result) for result in results]
    statements.ask(INSERT, [now, *map(statements.array, (keys, fingerprints, written))])


def is_collision(error: DatabaseError) -> bool:
    """Whether another transaction recorded one of our keys first, or each of us waited for a key of the other's."""
    # Keys are written in order, but first those of the plain charges of a batch and then the others.
    if isinstance(error.__cause__, DeadlockDetected):
        return True
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) == f"{IdempotencyRecord._meta.db_table}_pkey"


def fingerprint(act: Act) -> str:
    """SHA-256 of what makes two acts the same request: whose, what kind, how much, what for, on which terms.

    The act must have been checked: only then is the plain form of its amount exact.
    """
    return hashlib.sha256(json.dumps(act.content(), sort_keys=True, default=str).encode()).hexdigest()
