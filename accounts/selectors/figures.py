"""The proof of the figures beside customers: SQL over all of them that names each wrong one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accounts.models import CustomerFigures, FiguresProof
from backoffice.lib.proving import FigureRule, broken_rows, figure_rules

# What apps count of customers. The balance and the copies of the person's own columns are proven with the ledger.
COUNTED = ("spend_minor", "total_generations")

# What somebody did after they were last active. A product's clock may run ahead, and an act soon after moves nothing.
ACTIVE_LATER = """
SELECT figures.user_id, format('last_active_at is %%s, and it is at least %%s, when they last did something, less %%s',
                               figures.last_active_at, acts.latest, %(resolution)s::interval)
FROM accounts_customerfigures AS figures
JOIN (SELECT user_id, max(least(at, created_at)) AS latest FROM accounts_activityevent
      WHERE user_id IS NOT NULL GROUP BY user_id) AS acts USING (user_id)
WHERE figures.last_active_at < acts.latest - %(resolution)s::interval
"""
NOT_COUNTED = """
SELECT user_id, format('{figure} is %%s, and it is 0 as long as no app counts it', {figure})
FROM accounts_customerfigures WHERE {figure} <> 0
"""


@dataclass(frozen=True)
class WrongFigure:
    """A figure that is not what it should be. ``rule`` says what should hold, ``detail`` what was found."""

    rule: str
    customer_id: int
    detail: str


def rules_of_figures() -> Sequence[FigureRule]:
    """What apps told must hold, and for each figure of which none told anything, that it is 0."""
    told = list(figure_rules)
    silent = set(COUNTED) - {rule.figure for rule in told}
    return told + [
        FigureRule(
            key=figure,
            figure=figure,
            rule=f"nobody has {figure} yet",
            query=NOT_COUNTED.format(figure=figure),
        )
        for figure in COUNTED
        if figure in silent
    ]


def number_of_figures() -> int:
    """How many customers' figures there are to check."""
    return CustomerFigures.objects.count()


def wrong_figures() -> Iterator[WrongFigure]:
    """Check every rule over all customers and yield each figure that breaks one. To be asked in one snapshot."""
    for rule in rules_of_figures():
        for customer_id, detail in broken_rows(rule.query, rule.parameters()):
            yield WrongFigure(rule.rule, customer_id, detail)


def last_figures_proof() -> FiguresProof | None:
    """The latest proof of the figures."""
    return FiguresProof.objects.defer("findings").order_by("-started_at", "-id").first()
