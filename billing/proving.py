"""What customers spent, counted anew from their payments: the figure that billing writes beside them."""

from django.conf import settings

from backoffice.lib.proving import FigureRule, figure_rules
from billing.models.statuses import PAID

# Payments stay where they were booked and count for whoever the customer was merged into.
SPENT = """
SELECT figures.user_id, format('spend_minor is %%s, and the payments in %%s make %%s', figures.spend_minor,
                               %(currency)s::text, coalesce(spent.total, 0))
FROM accounts_customerfigures AS figures
LEFT JOIN (SELECT coalesce(retired.into_id, payment.user_id) AS user_id,
                  sum(greatest(payment.amount_minor - payment.refunded_minor - payment.disputed_minor, 0)) AS total
           FROM billing_payment AS payment
           LEFT JOIN accounts_retiredcustomer AS retired ON retired.user_id = payment.user_id
           WHERE payment.status = ANY(%(paid)s) AND payment.currency = %(currency)s
           GROUP BY 1) AS spent USING (user_id)
WHERE figures.spend_minor <> coalesce(spent.total, 0)
"""


def register() -> None:
    """Called once, from ``offers.register()``."""
    figure_rules.register(
        FigureRule(
            key="spend",
            figure="spend_minor",
            rule="what a customer spent is what is left of their payments after refunds and disputes",
            query=SPENT,
            parameters=lambda: {"currency": settings.REPORTING_CURRENCY, "paid": [str(status) for status in PAID]},
            order=20,
        )
    )
