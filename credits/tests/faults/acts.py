"""Acts by a short name, and the ways that a charge can go."""

from dataclasses import dataclass, replace
from decimal import Decimal

from accounts.models import User
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.models import (
    CreditAccount,
    CreditDebt,
    CreditDraw,
    CreditHold,
    CreditLot,
    CreditTransaction,
    IdempotencyRecord,
)
from credits.postings import Posting
from credits.services.posting import result_of
from tests.factories import CustomerFactory, StaffFactory

TABLES = [CreditAccount, CreditTransaction, CreditLot, CreditDraw, CreditDebt, CreditHold, IdempotencyRecord]


def posting(user_id, amount, key, **more):
    kind = TransactionKind.GIFT if Decimal(amount) > 0 else TransactionKind.USAGE
    return Posting(
        **{"user_id": user_id, "kind": kind, "amount": Decimal(amount), "idempotency_key": f"test:{key}"} | more
    )


def give(user_id, amount, key="in", **more):
    return services.post(posting(user_id, amount, key, **more))


def buy(user_id, amount, key="bought", **more):
    return give(user_id, amount, key, kind=TransactionKind.PURCHASE, paid_minor=1000, currency="USD", **more)


def plain_charge(user_id, amount, key="out"):
    """In one statement, when nothing stands in its way."""
    return services.charge_credits(user_id=user_id, amount=Decimal(amount), idempotency_key=f"test:{key}")


def batch_charge(user_id, amount, key="out"):
    """In a batch, together with other plain charges: the other one here is of nobody."""
    charge = posting(user_id, Decimal(amount).copy_negate(), key)
    return result_of(services.post_batch([charge, posting(NOBODY, -1, f"{key}-nobody")])[0])


def general_charge(user_id, amount, key="out"):
    """By the core, as an account that several acts of a batch touch: the other one here is the same again."""
    charge = posting(user_id, Decimal(amount).copy_negate(), key)
    return result_of(services.post_batch([charge, charge])[0])


NOBODY = 10**15
CHARGES = [plain_charge, batch_charge, general_charge]


def assert_proven():
    assert list(selectors.verify()) == []


def all_rows():
    """Everything the ledger holds, to see that nothing was written."""
    return [sorted(model.objects.values_list(), key=repr) for model in TABLES]


@dataclass
class Scene:
    """A customer on whose account each act has something to act on, and a second such customer."""

    user_id: int
    usage: int
    purchase: int
    clawback: int
    gift: int
    hold: int
    staff: User
    other: "Scene | None" = None


def scene(*, alone=False):
    user_id = CustomerFactory().pk
    return Scene(
        user_id=user_id,
        gift=give(user_id, 80, f"{user_id}-gift").transaction_id,
        purchase=buy(user_id, 100, f"{user_id}-bought").transaction_id,
        clawback=services.claw_back(
            transaction_id=buy(user_id, 30, f"{user_id}-disputed").transaction_id,
            amount=Decimal(30),
            kind=TransactionKind.CHARGEBACK,
            idempotency_key=f"test:{user_id}-chargeback",
        ).transaction_id,
        usage=general_charge(user_id, 20, f"{user_id}-used").transaction_id,
        hold=services.place_hold(user_id=user_id, amount=Decimal(20), idempotency_key=f"test:{user_id}-held").hold_id,
        staff=StaffFactory(),
        other=None if alone else scene(alone=True),
    )


KEY = "test:the-key"
FIVE = Decimal(5)


def _call(verb, **first):
    return lambda **changed: verb(**first | {"idempotency_key": KEY} | changed)


def _charge_by_the_core(*, user_id, amount, idempotency_key):
    charge = posting(user_id, 0, "", kind=TransactionKind.USAGE, idempotency_key=idempotency_key)
    charge = replace(charge, amount=amount.copy_negate())
    return result_of(services.post_batch([charge, charge])[0])


# Each act with its first content; what is given by name replaces it.
ACTS = {
    "plain charge": lambda at: _call(services.charge_credits, user_id=at.user_id, amount=FIVE),
    "general charge": lambda at: _call(_charge_by_the_core, user_id=at.user_id, amount=FIVE),
    "gift": lambda at: _call(services.gift_credits, user_id=at.user_id, amount=FIVE, reason="sorry", actor=at.staff),
    "adjustment": lambda at: _call(
        services.adjust_credits, user_id=at.user_id, amount=FIVE, reason="sorry", actor=at.staff
    ),
    "refund": lambda at: _call(
        services.refund_usage, transaction_id=at.usage, amount=FIVE, reason="failed", actor=at.staff
    ),
    "reversal by hand": lambda at: _call(
        services.reverse_transaction, transaction_id=at.gift, amount=FIVE, reason="wrong", actor=at.staff
    ),
    "clawback": lambda at: _call(
        services.claw_back, transaction_id=at.purchase, amount=FIVE, kind=TransactionKind.REVERSAL
    ),
    "reinstatement": lambda at: _call(services.reinstate, transaction_id=at.clawback),
    "hold": lambda at: _call(services.place_hold, user_id=at.user_id, amount=FIVE),
    "capture": lambda at: _call(services.capture_hold, hold_id=at.hold, amount=FIVE),
    "release": lambda at: _call(services.release_hold, hold_id=at.hold),
}
# By which name an act finds whose account it is about, and where the scene has it.
TARGETS = {
    "plain charge": ("user_id", "user_id"),
    "general charge": ("user_id", "user_id"),
    "gift": ("user_id", "user_id"),
    "adjustment": ("user_id", "user_id"),
    "refund": ("transaction_id", "usage"),
    "reversal by hand": ("transaction_id", "gift"),
    "clawback": ("transaction_id", "purchase"),
    "reinstatement": ("transaction_id", "clawback"),
    "hold": ("user_id", "user_id"),
    "capture": ("hold_id", "hold"),
    "release": ("hold_id", "hold"),
}
WITH_AMOUNT = sorted(ACTS.keys() - {"reinstatement", "release"})
