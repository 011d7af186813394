"""What a merge of two customers would do to their credits, as its form shows it."""

from collections.abc import Sequence
from decimal import Decimal

from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from credits import selectors
from credits.models import CreditAccount
from credits.services.merging import open_lots


def effect(survivor_id: int, merged_id: int) -> Sequence[Change]:
    """Both balances, and the allowance that ends."""
    now = clock.now()
    survivor, merged = (selectors.standing(user_id=user_id, now=now) for user_id in (survivor_id, merged_id))
    lines = [
        Change(
            f"Balance of customer {survivor_id}",
            display.credits(survivor.balance),
            display.credits(survivor.balance + merged.balance),
        ),
        Change(f"Balance of customer {merged_id}", display.credits(merged.balance), display.credits(Decimal(0))),
        Change.told("Lots that move", display.number(len(open_lots(merged)))),
    ]
    allowance = CreditAccount.objects.filter(pk=merged_id).values_list("monthly_allowance", flat=True).first()
    if allowance:
        lines.append(Change(f"Allowance of customer {merged_id}", display.credits(allowance), "ends"))
    return lines
