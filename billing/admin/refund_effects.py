"""What a refund would do to the customer's credits, as its form shows it before it is done."""

from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from billing import selectors
from billing.models import CreditPolicy, Payment
from credits.acts import Clawback
from credits.kinds import TransactionKind
from credits.selectors import preview


def credit_changes(payment: Payment, amount_minor: int, policy: CreditPolicy) -> list[Change]:
    """Credits taken back, the balance, and the debt that would arise from credits that are spent or held."""
    if payment.transaction_id is None:
        return [Change.told("Credits", "none: this payment bought none by itself")]
    if policy == CreditPolicy.LEAVE:
        return [Change.told("Credits", "stay with the customer")]
    takes = selectors.credits_to_take(payment, amount_minor) - selectors.credits_taken(payment)
    if takes <= 0:
        return [Change.told("Credits", "none: what this refund takes was taken back before")]
    act = Clawback(
        transaction_id=payment.transaction_id, amount=takes, kind=TransactionKind.REVERSAL, idempotency_key="preview"
    )
    seen = preview(act, now=clock.now())
    changes = [
        Change.told("Credits", display.change(-takes)),
        Change("Balance", display.credits(seen.balance_before), display.credits(seen.balance_after)),
        Change("Available", display.credits(seen.available_before), display.credits(seen.available_after)),
    ]
    if seen.debt_after != seen.debt_before:
        changes.append(Change("Debt", display.credits(seen.debt_before), display.credits(seen.debt_after)))
    return changes
