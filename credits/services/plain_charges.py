"""Charges on accounts where nothing else is to be decided, however many, in one statement.

The function is in the migrations. It declines every account on which something else is to be decided, and then the
general path takes all of that account's charges.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from backoffice.lib import clock, statements
from credits.errors import CreditError
from credits.kinds import TransactionKind
from credits.postings import Act, Posting, PostResult
from credits.services import idempotency

CHARGE = """
SELECT * FROM credits_charge(%s::bigint, %s::numeric, %s::text, %s::text, %s::text, %s::text, %s::text, %s::jsonb,
                             %s::timestamptz, %s)
"""
CHARGE_BATCH = """
SELECT * FROM credits_charge_batch(%s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::text[], %s::text[],
                                   %s::text[], %s::text[], %s::timestamptz[], %s)
"""


def candidates(acts: Sequence[Act]) -> dict[int, Posting]:
    """By their place: the charges that may be plain, whose accounts no other act here touches.

    A key that comes twice makes both accounts somebody else's work.
    """
    charges = {place: act for place, act in enumerate(acts) if isinstance(act, Posting) and _is_sound_charge(act)}
    if len(acts) == 1:
        return charges
    times = Counter(act.idempotency_key for act in acts)
    touched = {act.target.user_id for place, act in enumerate(acts) if place not in charges}
    if None in touched:
        # An entry or a hold leads to an account that is not known here.
        return {}
    touched |= {act.user_id for act in charges.values() if times[act.idempotency_key] > 1}
    return {place: act for place, act in charges.items() if act.user_id not in touched}


def do_one(charge: Posting) -> PostResult | None:
    """Do this sound charge if it is plain and nobody else has its account; it is a transaction by itself."""
    row = statements.ask(CHARGE, [*_row(charge), clock.now()]).fetchone()
    return _result(charge, *row) if row else None


def do_all(charges: Mapping[int, Posting]) -> dict[int, PostResult]:
    """Do those of these sound charges that are plain, under the locks of their accounts; their results, by place."""
    if not charges:
        return {}
    places, postings = list(charges), list(charges.values())
    columns = zip(*map(_row, postings), strict=True)
    rows = statements.ask(CHARGE_BATCH, [*map(statements.array, columns), clock.now()]).fetchall()
    return {places[item - 1]: _result(postings[item - 1], *row) for item, *row in rows}


def _result(charge: Posting, entry_id: int, seq: int, balance_before: Decimal, balance_after: Decimal) -> PostResult:
    return PostResult(
        transaction_id=entry_id,
        seq=seq,
        amount=charge.amount,
        balance_before=balance_before,
        balance_after=balance_after,
    )


def _row(charge: Posting) -> tuple[object, ...]:
    return (
        charge.user_id,
        -charge.amount,
        charge.idempotency_key,
        idempotency.fingerprint(charge),
        charge.action_type,
        charge.description,
        charge.reference,
        json.dumps(charge.metadata) if charge.metadata else "{}",
        charge.event_at,
    )


def _is_sound_charge(posting: Posting) -> bool:
    if posting.kind != TransactionKind.USAGE:
        return False
    try:
        posting.check()
    except CreditError:
        return False
    return True
