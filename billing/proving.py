"""What customers spent, counted anew from their payments: the figure that billing writes beside them."""

from backoffice.lib.proving import FigureRule, figure_rules
from billing.selectors.spend import WRONG, spend_parameters

SPENT = f"""
SELECT user_id, format('spend_minor is %%s, and the payments in %%s make %%s', spend_minor, %(currency)s::text, total)
FROM ({WRONG}) AS wrong
"""  # noqa: S608 (made of constants)


def register() -> None:
    """Called once, from ``offers.register()``."""
    figure_rules.register(
        FigureRule(
            key="spend",
            figure="spend_minor",
            rule="what a customer spent is what is left of their payments after refunds and disputes",
            query=SPENT,
            parameters=spend_parameters,
            order=20,
        )
    )
