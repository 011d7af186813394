"""One effect for one key: what a key was first used for and how that ended."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from credits.models import IdempotencyRecord
from credits.postings import Posting

Seen = Mapping[str, IdempotencyRecord]


def load(keys: Sequence[str]) -> Seen:
    """The records of those keys that were used before."""
    return IdempotencyRecord.objects.in_bulk(keys)


def save(records: Sequence[tuple[str, str, dict[str, Any]]], *, now: datetime) -> None:
    """Record key, fingerprint and result of first uses. A key recorded meanwhile raises IntegrityError."""
    IdempotencyRecord.objects.bulk_create(
        [
            IdempotencyRecord(key=key, fingerprint=fingerprint, result=result, created_at=now)
            # In one order for all writers: two that share keys queue instead of deadlocking.
            for key, fingerprint, result in sorted(records, key=lambda record: record[0])
        ]
    )


def is_key_collision(error: IntegrityError) -> bool:
    """Whether the error says that another transaction recorded one of our keys first."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) == f"{IdempotencyRecord._meta.db_table}_pkey"


def fingerprint(posting: Posting) -> str:
    """SHA-256 of what makes two postings the same request: whose, what kind, how much, what for, on which terms.

    The amount must have been checked: only then is its plain form exact.
    """
    content = [
        posting.user_id,
        posting.kind,
        # 100 and 100.0000 are the same amount.
        str(posting.amount.normalize()),
        posting.reference,
        posting.action_type,
        posting.description,
        posting.priority,
        posting.metadata,
        posting.expires_at.isoformat() if posting.expires_at else None,
        posting.paid_minor,
        posting.currency.upper(),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
