"""Reads of the audit log, and the proof of its chain."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from audit.models import GENESIS_HASH, AuditEntry


def entries_about(*, resource_type: str, resource_id: str) -> QuerySet[AuditEntry]:
    """What was done to one thing, newest first."""
    return AuditEntry.objects.filter(resource_type=resource_type, resource_id=resource_id).order_by("-at", "-id")


@dataclass(frozen=True)
class ChainFault:
    """The first row at which the chain does not hold. ``entry_id`` is None when rows are missing at the end."""

    entry_id: int | None
    seq: int | None
    why: str


# Rows are compared with what the database computes from them now, and with the row before.
_FIRST_BROKEN_ROW = """
WITH chain AS (
    SELECT id, seq, prev_hash, hash,
           audit_entry_hash(entry, seq, prev_hash) AS computed,
           lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS seq_before,
           lag(hash, 1, %(genesis)s) OVER (ORDER BY seq) AS hash_before
    FROM audit_auditentry AS entry
)
SELECT id, seq,
       CASE WHEN seq IS NULL THEN 'it was never sealed'
            WHEN seq <> seq_before + 1 THEN 'rows before it are missing'
            WHEN prev_hash <> hash_before THEN 'it does not follow the row before it'
            ELSE 'its content was changed' END
FROM chain
WHERE seq IS NULL OR seq <> seq_before + 1 OR prev_hash <> hash_before OR hash <> computed
ORDER BY seq NULLS FIRST LIMIT 1
"""

# One statement, so that both are seen at the same moment.
_HEAD_AND_LAST_ROW = """
SELECT head.seq, head.hash, coalesce(last.seq, 0), coalesce(last.hash, %(genesis)s)
FROM audit_chainhead AS head
LEFT JOIN LATERAL (
    SELECT seq, hash FROM audit_auditentry WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1
) AS last ON true
"""


def first_chain_fault() -> ChainFault | None:
    """Walk the whole chain and name the first row that breaks it, or None when all of it holds."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BROKEN_ROW, {"genesis": GENESIS_HASH})
        row = cursor.fetchone()
    return ChainFault(*row) if row else _head_fault()


def _head_fault() -> ChainFault | None:
    with connection.cursor() as cursor:
        cursor.execute(_HEAD_AND_LAST_ROW, {"genesis": GENESIS_HASH})
        head_seq, head_hash, last_seq, last_hash = cursor.fetchone()
    if (head_seq, head_hash) == (last_seq, last_hash):
        return None
    return ChainFault(None, head_seq, f"the log ends at {last_seq} but {head_seq} rows were sealed")
