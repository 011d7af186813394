"""What becomes of credits when a customer is merged into another or anonymised."""

from collections.abc import Sequence

from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from backoffice.lib.lives import Anonymiser, MergeStep, anonymisers, merge_steps
from credits import selectors
from credits.admin import merging
from credits.services import merging as services


def register() -> None:
    """Called once, from the app's offers."""
    merge_steps.register(
        MergeStep(
            key="credits",
            move=services.move_credits,
            obstacles=services.obstacles,
            effect=merging.effect,
            order=10,
        )
    )
    anonymisers.register(
        Anonymiser(
            key="credits",
            forget=lambda user_ids, known: {"allowances": services.end_allowances(user_ids)},
            obstacles=_work_under_way,
            effect=_lost_balance,
            kept={
                "credits.CreditTransaction": "the ledger is evidence; integrations put ids there and no names",
                "credits.CreditLot": "the currency of what was paid",
                "credits.CreditHold": "the reference of work, by which a capture finds it",
                "credits.IdempotencyRecord": "keys and amounts, by which a retry is known again",
                "credits.IntegrityRun": "names rows by number",
            },
            order=10,
        )
    )


def _lost_balance(user_ids: Sequence[int]) -> list[Change]:
    balance = selectors.standing(user_id=user_ids[0], now=clock.now()).balance
    lines = [Change("Balance", display.credits(balance), "stays on the books, spent by nobody")]
    if allowance := selectors.balance_of(user_ids[0]).monthly_allowance:
        lines.append(Change("Credits a month", display.credits(allowance), "end"))
    return lines


def _work_under_way(user_ids: Sequence[int]) -> list[str]:
    held = selectors.held_by(user_ids, now=clock.now())
    return ["Work of this customer is running, for which credits are held: wait until it has ended."] if held else []
