"""Reads of people, their figures, what they did, how they log in, and API keys."""

from accounts.selectors.api_keys import key_by_secret, key_list
from accounts.selectors.figures import (
    COUNTED,
    WrongFigure,
    last_figures_proof,
    number_of_figures,
    rules_of_figures,
    wrong_figures,
)
from accounts.selectors.logins import (
    has_second_factor,
    live_sessions,
    main_factors,
    second_factors,
    staff_by_email,
)
from accounts.selectors.notes import all_tags, notes_on, tag_list, tags_of, with_tag
from accounts.selectors.people import (
    customer_by_any_id,
    customer_by_email,
    customer_by_external_id,
    customer_by_reference,
    customer_by_stripe_id,
    customer_ids,
    customer_list,
    customer_of_staff,
    customer_totals,
    is_id,
    recent_activity,
    signups_of_visitors,
    values_in_figures,
    which_are_staff,
)
from accounts.selectors.preferences import remembered
from accounts.selectors.retired import (
    family_of,
    is_forgotten,
    retirement_by_external_id,
    retirement_of,
    retirement_seen,
    survivor_of,
)
from accounts.selectors.search import Search, search_for, words_by_joining
from accounts.selectors.status import status_history, statuses_due

__all__ = [
    "COUNTED",
    "Search",
    "WrongFigure",
    "all_tags",
    "customer_by_any_id",
    "customer_by_email",
    "customer_by_external_id",
    "customer_by_reference",
    "customer_by_stripe_id",
    "customer_ids",
    "customer_list",
    "customer_of_staff",
    "customer_totals",
    "family_of",
    "has_second_factor",
    "is_forgotten",
    "is_id",
    "key_by_secret",
    "key_list",
    "last_figures_proof",
    "live_sessions",
    "main_factors",
    "notes_on",
    "number_of_figures",
    "recent_activity",
    "remembered",
    "retirement_by_external_id",
    "retirement_of",
    "retirement_seen",
    "rules_of_figures",
    "search_for",
    "second_factors",
    "signups_of_visitors",
    "staff_by_email",
    "status_history",
    "statuses_due",
    "survivor_of",
    "tag_list",
    "tags_of",
    "values_in_figures",
    "which_are_staff",
    "with_tag",
    "words_by_joining",
    "wrong_figures",
]
