"""What a customer spent, written beside them."""

from datetime import timedelta

from django.db import transaction

from accounts import services as accounts
from accounts.models import CustomerFigures
from accounts.selectors import family_of, retirement_of
from backoffice.lib import clock
from billing import selectors
from billing.models import ExchangeRate

# Longer than the time between two looks.
LATELY = timedelta(minutes=15)


def count_spend(user_id: int) -> None:
    """Write the spend of a customer, or of whom they were merged into meanwhile. Inside a transaction."""
    retired = retirement_of(user_id)
    whose = (retired.into_id if retired else None) or user_id
    # Payments of the two are booked under the locks of two accounts: without this each would miss the other's.
    CustomerFigures.objects.select_for_update(no_key=True).get(pk=whose)
    accounts.set_spend(user_id=whose, spend_minor=selectors.spend_of(family_of(whose)))


def recount_after_new_rates() -> int:
    """Recount if somebody entered or corrected a rate lately; how many customers were wrong."""
    is_new = ExchangeRate.objects.filter(updated_at__gte=clock.now() - LATELY).exists()
    return recount_spends() if is_new else 0


def recount_spends() -> int:
    """Write the spend of all whose figure is not what the rates make of their payments now; how many they were."""
    wrong = selectors.wrong_spends()
    for user_id in wrong:
        with transaction.atomic():
            count_spend(user_id)
    return len(wrong)
