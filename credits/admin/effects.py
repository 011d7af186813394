"""What an addition or a correction would do, as the forms show it before it is done."""

from decimal import Decimal

from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from credits import allocation, selectors


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
        changes.append(Change("Pays debt", display.absent(), display.credits(pays)))
    return changes
