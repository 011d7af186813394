"""What an addition or a correction would do, as the forms show it before it is done."""

from decimal import Decimal

from accounts.errors import CustomerRetired
from accounts.models import Customer
from accounts.selectors import retirement_seen
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from credits import allocation, selectors
from credits.errors import CreditError, DemoCustomer
from jobs.errors import WorkError

# What the forms on credits show as an error.
REFUSALS = (CreditError, CustomerRetired, WorkError)


def check_has_ledger(customer: Customer) -> None:
    """Raise DemoCustomer or CustomerRetired for one whose ledger staff add nothing to."""
    if customer.demo_mode:
        raise DemoCustomer(customer.pk)
    if retirement_seen(customer) is not None:
        raise CustomerRetired


def balance_changes(account: allocation.Account, amount: Decimal) -> list[Change]:
    """Balance, available credits and the debt they pay first, once ``amount`` credits came in or, negative, went."""
    after = account.balance + amount
    changes = [
        Change("Balance", display.credits(account.balance), display.credits(after)),
        Change(
            "Available",
            display.credits(account.available),
            display.credits(max(selectors.ZERO, after - account.held)),
        ),
    ]
    free = max(selectors.ZERO, account.lots_total + amount - account.held)
    if pays := min(account.debt, free):
        changes.append(Change.told("Pays debt", display.credits(pays)))
    return changes
