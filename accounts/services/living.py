"""Whom an act of staff is about."""

from accounts import selectors
from accounts.errors import CustomerRetired, UnknownCustomer
from accounts.models import Customer


def living_customer(user_id: int) -> Customer:
    """The customer, locked until the transaction ends, so that no merge and no anonymising misses what is written now.

    Raises UnknownCustomer (for staff too), and CustomerRetired for one who was merged or anonymised.
    """
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if customer is None:
        raise UnknownCustomer(user_id)
    if selectors.retirement_of(user_id) is not None:
        raise CustomerRetired
    return customer
