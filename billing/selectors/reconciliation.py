"""Reads of what does not add up: between what Stripe says was paid, what was booked, and what the ledger holds.

A payment that bought credits and has no entry cannot be: the database refuses it. So what is paid and not credited are
events that were not applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT

from backoffice.lib import clock
from billing.models import EventState, Payment, StripeEvent
from billing.models.events import NEEDS_ATTENTION
from billing.models.statuses import PAID
from billing.selectors.events import inbox
from credits.models import CreditTransaction

# So many of each list are shown, and counted.
MOST = 50
# What nobody has touched for so long is found by no mismatch of these days.
LOOK_BACK = timedelta(days=90)
# An event that is not applied by then is not about to be: the longest wait is a quarter of an hour.
PATIENCE = timedelta(hours=1)
# Each says that money came in.
MONEY_TYPES = (
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.captured",
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "invoice_payment.paid",
)
DECIMALS = Decimal(10_000)

# What should have been taken back, as billing.clawbacks.targets and selectors.refunds.left_minor have it, beside what
# was: clawbacks that stand.
OUT_OF_BALANCE = """
WITH candidates AS (
    SELECT id FROM billing_payment
    WHERE updated_at >= %(since)s AND transaction_id IS NOT NULL AND (refunded_minor > 0 OR disputed_minor > 0)
    UNION
    SELECT payment.id FROM credits_credittransaction AS entry
    JOIN billing_payment AS payment ON payment.transaction_id = entry.reverses_id
    WHERE entry.kind IN ('reversal', 'chargeback') AND entry.created_at >= %(since)s
), sums AS (
    SELECT payment.id, payment.transaction_id, payment.credits_purchased * 10000 AS units,
           payment.amount_minor AS paid, payment.disputed_minor AS disputed,
           greatest(payment.refunded_minor - going.left_made
                    - least(going.left_asked, greatest(payment.refunded_minor - going.named, 0)), 0) AS returned
    FROM billing_payment AS payment JOIN candidates USING (id)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE stripe_refund_id IS NOT NULL), 0) AS named,
               coalesce(sum(amount_minor) FILTER (WHERE policy = 'leave' AND stripe_refund_id IS NOT NULL), 0)
                   AS left_made,
               coalesce(sum(amount_minor) FILTER (WHERE policy = 'leave' AND stripe_refund_id IS NULL), 0) AS left_asked
        FROM billing_refund AS refund
        WHERE refund.payment_id = payment.id AND refund.status IN ('pending', 'requires_action', 'succeeded')
    ) AS going
), wanted AS (
    SELECT *, div(units * least(returned, paid), paid) AS reversal,
           div(units * least(disputed, paid), paid) AS disputable
    FROM sums
), compared AS (
    SELECT wanted.id, wanted.reversal, least(disputable, units - wanted.reversal) AS chargeback,
           coalesce(sum(-entry.amount) FILTER (WHERE entry.kind = 'reversal'), 0) * 10000 AS reversed,
           coalesce(sum(-entry.amount) FILTER (WHERE entry.kind = 'chargeback'), 0) * 10000 AS charged_back
    FROM wanted
    LEFT JOIN credits_credittransaction AS entry
        ON entry.reverses_id = wanted.transaction_id AND entry.kind IN ('reversal', 'chargeback') AND NOT EXISTS (
            SELECT FROM credits_credittransaction AS undone
            WHERE undone.reverses_id = entry.id AND undone.kind = 'reinstatement')
    GROUP BY wanted.id, wanted.reversal, disputable, units
)
SELECT id, reversal + chargeback, reversed + charged_back FROM compared
WHERE reversal <> reversed OR chargeback <> charged_back
ORDER BY id DESC LIMIT %(limit)s
"""

# The few without a payment first, so that what was taken back is summed for these alone.
CREDITED_NOT_PAID = """
WITH unpaid AS MATERIALIZED (
    SELECT entry.id, entry.amount, entry.created_at FROM credits_credittransaction AS entry
    WHERE entry.kind = 'purchase' AND entry.created_at >= %(since)s AND NOT EXISTS (
        SELECT FROM billing_payment AS payment
        WHERE payment.transaction_id = entry.id AND payment.status = ANY(%(paid)s))
), compared AS (
    SELECT unpaid.id, unpaid.created_at, unpaid.amount + coalesce((
        SELECT sum(taken.amount) FROM credits_credittransaction AS taken
        WHERE taken.reverses_id = unpaid.id AND taken.kind IN ('reversal', 'chargeback') AND NOT EXISTS (
            SELECT FROM credits_credittransaction AS undone
            WHERE undone.reverses_id = taken.id AND undone.kind = 'reinstatement')), 0) AS remaining
    FROM unpaid
)
SELECT id, remaining FROM compared WHERE remaining > 0 ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""
TO_RECONCILE = """
SELECT (SELECT count(*) FROM ({waiting}) AS waiting)
       + coalesce((SELECT credited_not_paid + out_of_balance FROM billing_reconciliationcount), 0)
"""


@dataclass(frozen=True)
class Uncredited:
    """A payment that Stripe says was paid and that is not booked: the events that say so, none of them applied."""

    payment_intent_id: str
    events: Sequence[StripeEvent]


@dataclass(frozen=True)
class Imbalance:
    """A payment of which ``wanted`` credits should have been taken back, and ``taken`` were."""

    payment: Payment
    wanted: Decimal
    taken: Decimal


def is_settled_by_hand(payment_intent_id: str) -> bool:
    """Whether staff have dealt with this payment themselves, and have replayed nothing that tells of it since."""
    # A charge may be told of by its later words alone.
    types = (*MONEY_TYPES, "charge.updated")
    told = StripeEvent.objects.filter(payment_intent_id=payment_intent_id, type__in=types)
    return told.filter(settled_by_hand=True).exists()


def waiting_events() -> QuerySet[StripeEvent]:
    """Events that somebody has to look into: parked, failed, or waiting for longer than anything is waited for."""
    stuck = Q(state=EventState.RECEIVED, received_at__lt=clock.now() - PATIENCE)
    return inbox().filter(Q(state__in=NEEDS_ATTENTION) | stuck)


def paid_not_credited(*, limit: int = MOST) -> list[Uncredited]:
    """Payments that came in and are not booked, the latest first; their events with what they say."""
    paid = Payment.objects.filter(stripe_payment_id=OuterRef("payment_intent_id"), status__in=PAID)
    events = waiting_events().filter(type__in=MONEY_TYPES).exclude(payment_intent_id="").exclude(Exists(paid))
    events = events.defer(None).defer("body").annotate(stripe_customer=KT("payload__data__object__customer"))
    found: dict[str, list[StripeEvent]] = {}
    # A payment has a handful of events that say so.
    for event in events.order_by("-received_at", "-pk")[: limit * len(MONEY_TYPES)]:
        found.setdefault(event.payment_intent_id, []).append(event)
    return [Uncredited(*each) for each in found.items()][:limit]


def other_waiting_events(*, limit: int = MOST) -> list[StripeEvent]:
    """Events that wait for somebody and do not say that a payment came in which is not booked, the latest first."""
    paid = Payment.objects.filter(stripe_payment_id=OuterRef("payment_intent_id"), status__in=PAID)
    uncredited = Q(type__in=MONEY_TYPES) & ~Q(payment_intent_id="") & ~Exists(paid)
    return list(waiting_events().exclude(uncredited).order_by("-received_at", "-pk")[:limit])


def credited_not_paid(*, limit: int = MOST) -> list[CreditTransaction]:
    """Purchases of the last LOOK_BACK in the ledger that no paid payment stands behind and that were not taken back
    whole, the latest first. Each has ``left``, in credits."""
    parameters = {"since": clock.now() - LOOK_BACK, "paid": [str(status) for status in PAID], "limit": limit}
    left = dict(_rows(CREDITED_NOT_PAID, parameters))
    entries = CreditTransaction.objects.select_related("account__user").in_bulk(left)
    for entry_id, entry in entries.items():
        entry.left = left[entry_id]  # type: ignore[attr-defined]
    return [entries[entry_id] for entry_id in left]


def out_of_balance(*, limit: int = MOST) -> list[Imbalance]:
    """Payments of the last LOOK_BACK whose credits do not fit what went back of them, the latest first."""
    rows = _imbalances(limit)
    payments = Payment.objects.select_related("user").in_bulk([payment_id for payment_id, _, _ in rows])
    return [Imbalance(payments[payment_id], _credits(wanted), _credits(taken)) for payment_id, wanted, taken in rows]


def count_mismatches(*, limit: int = MOST) -> tuple[int, int]:
    """How many purchases have no payment, and how many payments are out of balance, each counted up to ``limit``."""
    return len(credited_not_paid(limit=limit)), len(_imbalances(limit))


def to_reconcile() -> int:
    """How much waits on the page, as the sidebar shows it: events as they are now, the rest as last counted."""
    waiting, parameters = waiting_events().values("pk")[:MOST].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(TO_RECONCILE.format(waiting=waiting), parameters)
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def _imbalances(limit: int) -> list[tuple[Any, ...]]:
    return _rows(OUT_OF_BALANCE, {"since": clock.now() - LOOK_BACK, "limit": limit})


def _rows(query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _credits(units: Decimal) -> Decimal:
    return units / DECIMALS
