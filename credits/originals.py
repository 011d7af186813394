"""Earlier entries that acts give back or take back: read under the account's lock, or without it for a preview."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from django.db import connection
from django.db.models import F

from credits import allocation, loading
from credits.kinds import CLAWBACKS, TransactionKind
from credits.models import CreditDraw, CreditLot, CreditTransaction

# What later entries gave or took back, less what of that was itself given back. A clawback is reinstated once, so
# the join multiplies nothing.
UNDONE = """
SELECT later.reverses_id, sum(abs(later.amount) - coalesce(undoing.amount, 0))
FROM credits_credittransaction AS later
LEFT JOIN credits_credittransaction AS undoing
       ON undoing.reverses_id = later.id AND undoing.kind = 'reinstatement'
WHERE later.reverses_id = ANY(%s)
GROUP BY later.reverses_id
"""


def load(
    ids: Collection[int], *, lots: dict[int, allocation.Lot], debts: Mapping[int, allocation.Debt]
) -> dict[int, allocation.Original]:
    """The entries ``ids`` as acts need them. Lots already in ``lots`` are used, others are added to it."""
    rows = CreditTransaction.objects.filter(pk__in=ids).in_bulk()
    given_back = undone(ids)
    draws = _draws(ids, lots)
    opened = _opened_lots({_opener(row) for row in rows.values()})
    return {
        pk: allocation.Original(
            kind=TransactionKind(row.kind),
            adds=row.amount > 0,
            amount=abs(row.amount),
            undone=given_back.get(pk, Decimal(0)),
            draws=draws.get(pk, ()),
            lot_id=opened.get(_opener(row)),
            debt=debts.get(pk),
            gave_back=row.reverses_id is not None and row.amount > 0,
        )
        for pk, row in rows.items()
    }


def _opener(row: CreditTransaction) -> int:
    """The entry whose lot matters: a clawback is about its purchase's."""
    return row.reverses_id if row.kind in CLAWBACKS and row.reverses_id else row.pk


def undone(ids: Collection[int]) -> dict[int, Decimal]:
    """How much of each of these entries later ones gave or took back, as far as they did; credits without sign."""
    with connection.cursor() as cursor:
        cursor.execute(UNDONE, [list(ids)])
        return dict(cursor.fetchall())


def _opened_lots(ids: Collection[int]) -> dict[int, int]:
    # Entries that open several lots are given back, and never taken back: any of their lots will do.
    return dict(CreditLot.objects.filter(transaction__in=ids).values_list("transaction_id", "pk"))


def _draws(ids: Collection[int], lots: dict[int, allocation.Lot]) -> dict[int, list[allocation.Draw]]:
    rows = list(CreditDraw.objects.filter(transaction__in=ids, amount__gt=0).order_by("pk"))
    missing = {row.lot_id for row in rows} - lots.keys()
    spent = CreditLot.objects.filter(pk__in=missing).annotate(opened_seq=F("transaction__seq"))
    lots |= {row["id"]: loading.lot(row) for row in spent.values()}
    draws: dict[int, list[allocation.Draw]] = {}
    for row in rows:
        draws.setdefault(row.transaction_id, []).append(allocation.Draw(lots[row.lot_id], row.amount))
    return draws
