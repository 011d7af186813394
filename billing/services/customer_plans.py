"""The plan that stands beside a customer: that of their live subscription."""

from accounts import services as accounts
from accounts.selectors import retirement_of
from billing import selectors


def follow_plan(*, user_id: int) -> None:
    """Write the plan of a customer's live subscription beside them, or of whom they were merged into.

    Once none is live it is cleared, if it is one that a subscription of theirs had set; what the product set stays.
    """
    retired = retirement_of(user_id)
    if retired and retired.into_id is None:
        return  # Nobody is known again who was anonymised.
    whose = (retired.into_id if retired else None) or user_id
    # Locked before it is read: two subscriptions of one customer are of two families.
    accounts.lock_customers([whose])
    live, ever = selectors.plan_keys_of(whose)
    if live:
        accounts.set_plan(user_id=whose, plan=live[0])
    else:
        accounts.clear_plan(user_id=whose, plans=ever)
