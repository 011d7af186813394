"""What an act on an earlier entry would do now: decided by the same pure core, and written nowhere."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from credits import allocation, originals
from credits.acts import Clawback, Refund, Reversal
from credits.errors import UnknownTransaction
from credits.models import CreditTransaction
from credits.postings import Ground, Holder
from credits.selectors.balances import ZERO, standing


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``entry`` is the one that would be booked; amounts are credits, those before as the ledger stands settled."""

    entry: allocation.Entry
    undone_before: Decimal
    balance_before: Decimal
    balance_after: Decimal
    available_before: Decimal
    available_after: Decimal
    pays_debt: Decimal
    debt_before: Decimal
    debt_after: Decimal


def preview(act: Clawback | Refund | Reversal, *, now: datetime) -> Preview:
    """What ``act`` would do at ``now``. Raises the CreditError with which it would be refused."""
    act.check()
    user_id = CreditTransaction.objects.filter(pk=act.transaction_id).values_list("account_id", flat=True).first()
    if user_id is None:
        raise UnknownTransaction(act.transaction_id)
    account = standing(user_id=user_id, now=now)
    ground = _ground(account, act.transaction_id, now)
    undone, balance, available = ground.original.undone if ground.original else ZERO, account.balance, account.available
    debt = account.debt
    settled = len(account.journal.payments)
    entry = act.decide(ground)
    return Preview(
        entry=entry,
        undone_before=undone,
        balance_before=balance,
        balance_after=account.balance,
        available_before=available,
        available_after=account.available,
        pays_debt=sum((payment.amount for payment in account.journal.payments[settled:]), ZERO),
        debt_before=debt,
        debt_after=account.debt,
    )


def _ground(account: allocation.Account, transaction_id: int, now: datetime) -> Ground:
    lots = {lot.id: lot for lot in account.lots if lot.id is not None}
    debts = {debt.entry: debt for debt in account.debts if isinstance(debt.entry, int)}
    original = originals.load([transaction_id], lots=lots, debts=debts).get(transaction_id)
    # Acts on earlier entries ask nothing of the customer's status.
    holder = Holder(user_id=account.user_id, is_demo=False, status="", status_until=None)
    return Ground(now=now, holder=holder, account=account, original=original)
