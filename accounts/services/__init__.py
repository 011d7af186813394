"""Verbs on people, what they did and the figures beside them; on roles, logins and API keys.

Those on logins stand in ``passwords``, ``second_factors``, ``sessions`` and ``sign_ins`` and are called by these names.
"""

from accounts.services.activities import Activity, link_visits, record_activities, record_activity
from accounts.services.anonymising import AnonymiseResult, anonymise_obstacles, anonymise_user
from accounts.services.api_keys import NewKey, create_api_key, revoke_api_key, touch_api_key
from accounts.services.customers import (
    PutResult,
    clear_plan,
    link_stripe_customer,
    lock_customers,
    put_customer,
    set_plan,
)
from accounts.services.figures import set_balances, set_spend
from accounts.services.ingest import ToldEvent, record_events
from accounts.services.merging import MergeResult, merge_customers
from accounts.services.notes import add_note, change_note, delete_note, delete_tag, tag_customer, untag_customer
from accounts.services.preferences import (
    change_filter,
    choose_columns,
    choose_first_filter,
    delete_filter,
    save_filter,
)
from accounts.services.proofs import verify_figures
from accounts.services.resets import ResetOutcome, request_password_reset, reset_customer_password
from accounts.services.roles import apply_default_roles
from accounts.services.status import (
    StatusOutcome,
    ban_customer,
    lift_due_statuses,
    lift_suspension,
    suspend_customer,
    unban_customer,
    undo_status_change,
)
from accounts.services.totals import count_customers

__all__ = [
    "Activity",
    "AnonymiseResult",
    "MergeResult",
    "NewKey",
    "PutResult",
    "ResetOutcome",
    "StatusOutcome",
    "ToldEvent",
    "add_note",
    "anonymise_obstacles",
    "anonymise_user",
    "apply_default_roles",
    "ban_customer",
    "change_filter",
    "change_note",
    "choose_columns",
    "choose_first_filter",
    "clear_plan",
    "count_customers",
    "create_api_key",
    "delete_filter",
    "delete_note",
    "delete_tag",
    "lift_due_statuses",
    "lift_suspension",
    "link_stripe_customer",
    "link_visits",
    "lock_customers",
    "merge_customers",
    "put_customer",
    "record_activities",
    "record_activity",
    "record_events",
    "request_password_reset",
    "reset_customer_password",
    "revoke_api_key",
    "save_filter",
    "set_balances",
    "set_plan",
    "set_spend",
    "suspend_customer",
    "tag_customer",
    "touch_api_key",
    "unban_customer",
    "undo_status_change",
    "untag_customer",
    "verify_figures",
]
