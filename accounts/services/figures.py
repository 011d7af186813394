"""The figures kept beside people, written by the services that change them."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import connection

from accounts.models import CustomerFigures


def set_balances(balances: Mapping[int, Decimal]) -> None:
    """Write each customer's balance in credits beside the person; keyed by user id. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_customerfigures AS figures SET balance = new.balance"
            " FROM unnest(%s::bigint[], %s::numeric[]) AS new(user_id, balance)"
            " WHERE figures.user_id = new.user_id",
            [list(balances), list(balances.values())],
        )


def set_spend(*, user_id: int, spend_minor: int) -> None:
    """Write what a customer has paid on balance, in minor units of REPORTING_CURRENCY."""
    CustomerFigures.objects.filter(user_id=user_id).update(spend_minor=spend_minor)
