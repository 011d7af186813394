"""Reads of people, their figures, what they did, and API keys."""

from accounts.selectors.api_keys import key_by_secret, key_list
from accounts.selectors.people import (
    customer_by_email,
    customer_by_external_id,
    customer_by_reference,
    customer_by_stripe_id,
    customer_ids,
    customer_list,
    recent_activity,
    signups_of_visitors,
    values_in_figures,
)
from accounts.selectors.search import Search, search_for
from accounts.selectors.status import status_history, statuses_due

__all__ = [
    "Search",
    "customer_by_email",
    "customer_by_external_id",
    "customer_by_reference",
    "customer_by_stripe_id",
    "customer_ids",
    "customer_list",
    "key_by_secret",
    "key_list",
    "recent_activity",
    "search_for",
    "signups_of_visitors",
    "status_history",
    "statuses_due",
    "values_in_figures",
]
