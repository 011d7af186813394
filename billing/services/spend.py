"""What a customer spent, written beside them."""

from django.conf import settings

from accounts import services as accounts
from accounts.models import CustomerFigures
from accounts.selectors import retirement_of
from billing import selectors


def count_spend(user_id: int) -> None:
    """Write the spend of a customer, or of whom they were merged into meanwhile. Inside a transaction."""
    retired = retirement_of(user_id)
    whose = (retired.into_id if retired else None) or user_id
    # Payments of the two are booked under the locks of two accounts: without this each would miss the other's.
    CustomerFigures.objects.select_for_update(no_key=True).get(pk=whose)
    currency = settings.REPORTING_CURRENCY
    accounts.set_spend(user_id=whose, spend_minor=selectors.spend_of(user_id=whose, currency=currency))
