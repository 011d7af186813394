"""The figures kept beside people, written by the services that change them."""

from collections.abc import Mapping
from decimal import Decimal

from accounts.models import CustomerFigures
from backoffice.lib import statements

SET_BALANCES = """
WITH new AS (SELECT * FROM unnest(%s::bigint[], %s::numeric[]) AS new(user_id, balance)), figures AS (
    UPDATE accounts_customerfigures AS figures SET balance = new.balance
    FROM new WHERE figures.user_id = new.user_id)
UPDATE accounts_customerbalance AS sorted SET balance = new.balance FROM new WHERE sorted.user_id = new.user_id
"""


def set_balances(balances: Mapping[int, Decimal]) -> None:
    """Write each customer's balance in credits beside the person; keyed by user id. One statement."""
    statements.ask(SET_BALANCES, [statements.array(balances), statements.array(balances.values())])


def set_spend(*, user_id: int, spend_minor: int) -> None:
    """Write what a customer has paid on balance, in minor units of REPORTING_CURRENCY."""
    CustomerFigures.objects.filter(user_id=user_id).update(spend_minor=spend_minor)
