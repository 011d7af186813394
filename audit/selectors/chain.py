"""The proof of the chain: row by row, at its head, and against what was written down elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit.models import GENESIS_HASH, AuditProof, ChainHead
from audit.selectors.anchors import Anchor


@dataclass(frozen=True)
class ChainFault:
    """The first row at which the chain does not hold. ``entry_id`` is None when rows are missing at the end."""

    entry_id: int | None
    seq: int | None
    why: str

    def __str__(self) -> str:
        return f"audit entry {self.entry_id} (seq {self.seq}): {self.why}"


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


# The first anchor whose entry is gone or has another hash.
_FIRST_ANCHOR_MISSED = """
SELECT entry.id, anchor.seq, anchor.at, entry.hash IS NULL
FROM unnest(%(ats)s::text[], %(seqs)s::bigint[], %(hashes)s::text[]) AS anchor(at, seq, hash)
LEFT JOIN audit_auditentry AS entry ON entry.seq = anchor.seq
WHERE entry.hash IS DISTINCT FROM anchor.hash AND anchor.seq > 0
ORDER BY anchor.seq, anchor.at LIMIT 1
"""


def first_chain_fault(anchors: Sequence[Anchor]) -> ChainFault | None:
    """Walk the whole chain and name the first row that breaks it or misses an anchor, or None when all of it holds.

    To be asked inside one snapshot: several queries.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BROKEN_ROW, {"genesis": GENESIS_HASH})
        row = cursor.fetchone()
    return ChainFault(*row) if row else _head_fault() or _anchor_fault(anchors)


def head() -> ChainHead:
    """The last sealed entry."""
    return ChainHead.objects.get()


def last_proof() -> AuditProof | None:
    """The latest proof of the log."""
    return AuditProof.objects.order_by("-started_at", "-id").first()


def _head_fault() -> ChainFault | None:
    with connection.cursor() as cursor:
        cursor.execute(_HEAD_AND_LAST_ROW, {"genesis": GENESIS_HASH})
        head_seq, head_hash, last_seq, last_hash = cursor.fetchone()
    if (head_seq, head_hash) == (last_seq, last_hash):
        return None
    return ChainFault(None, head_seq, f"the log ends at {last_seq} but {head_seq} rows were sealed")


def _anchor_fault(anchors: Sequence[Anchor]) -> ChainFault | None:
    columns: dict[str, Any] = {
        "ats": [anchor.at for anchor in anchors],
        "seqs": [anchor.seq for anchor in anchors],
        "hashes": [anchor.hash for anchor in anchors],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_ANCHOR_MISSED, columns)
        row = cursor.fetchone()
    if row is None:
        return None
    entry_id, seq, at, is_gone = row
    what = "it is gone" if is_gone else "it has another hash: the log was rewritten"
    return ChainFault(entry_id, seq, f"it was anchored at {at}, and {what}")
