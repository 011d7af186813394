"""Every verb that the audit log knows, as ``area.verb``.

The list stands here, below all apps, so that the viewer can offer it; it imports none of them.
"""

from collections.abc import Sequence
from enum import StrEnum

# What an area is called when its own name would not tell.
AREAS = {
    "record": "Records",
    "accounts": "People and access",
    "jobs": "Jobs and approvals",
    "audit": "Audit log",
    "demo": "Demo company",
}


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


class Action(StrEnum):
    """A verb, and beside it what it is called when its own name would not tell."""

    label: str

    def __new__(cls, value: str, label: str = "") -> "Action":
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or _words(value.rpartition(".")[2])
        return member

    RECORD_ADDED = "record.add", "Add a record"
    RECORD_CHANGED = "record.change", "Change a record"
    RECORD_DELETED = "record.delete", "Delete a record"
    CREDITS_GIFT = "credits.gift", "Gift credits"
    CREDITS_ADJUST = "credits.adjust", "Adjust a balance"
    CREDITS_REFUND = "credits.refund", "Refund a usage"
    CREDITS_REVERSE = "credits.reverse", "Reverse an entry"
    ALLOWANCE_ADJUSTED = "credits.adjust_allowance", "Adjust an allowance"
    STATEMENT_EXPORTED = "credits.export_statement", "Export a statement"
    LEDGER_VERIFIED = "credits.verify_ledger", "Verify the ledger"
    SWEEP_BEGUN = "credits.begin_sweep", "Begin a sweep of the ledger"
    SWEEP_FINISHED = "credits.finish_sweep", "Finish a sweep of the ledger"
    STRIPE_CUSTOMER_SYNCED = "billing.sync_customer", "Sync a customer with Stripe"
    STRIPE_EVENT_REPLAYED = "billing.replay_event", "Replay a Stripe event"
    STRIPE_EVENT_SETTLED = "billing.settle_event", "Settle a Stripe event by hand"
    PAYMENT_REFUND_ASKED = "billing.refund_payment", "Refund a payment"
    PAYMENT_ASSIGNED = "billing.assign_payment", "Assign a payment"
    PAYMENT_SETTLED = "billing.settle_payment", "Settle the credits of a payment"
    STRIPE_CUSTOMER_LINKED = "billing.link_customer", "Link a Stripe customer"
    PURCHASE_TAKEN_BACK = "billing.take_back_purchase", "Take back credits that were not paid"
    API_KEY_CREATED = "accounts.create_api_key", "Create an API key"
    API_KEY_REVOKED = "accounts.revoke_api_key", "Revoke an API key"
    USER_BANNED = "accounts.ban_user", "Ban a customer"
    USER_UNBANNED = "accounts.unban_user", "Lift a ban"
    USER_SUSPENDED = "accounts.suspend_user", "Suspend a customer"
    USER_REINSTATED = "accounts.lift_suspension", "Lift a suspension"
    CUSTOMER_RESET_ASKED = "accounts.reset_customer_password", "Have a customer asked for a new password"
    CUSTOMERS_MERGED = "accounts.merge_customers", "Merge customers"
    CUSTOMER_ANONYMISED = "accounts.anonymise_customer", "Anonymise a customer"
    NOTE_ADDED = "accounts.add_note", "Add a note"
    NOTE_CHANGED = "accounts.change_note", "Change a note"
    NOTE_DELETED = "accounts.delete_note", "Delete a note"
    CUSTOMER_TAGGED = "accounts.tag_customer", "Tag a customer"
    CUSTOMER_UNTAGGED = "accounts.untag_customer", "Take a tag off a customer"
    FIGURES_VERIFIED = "accounts.verify_figures", "Verify customers' figures"
    DEFAULT_ROLES_EXTENDED = "accounts.extend_default_role"
    SIGNED_IN = "accounts.sign_in"
    SIGN_IN_FAILED = "accounts.sign_in_failed"
    LOCKED_OUT = "accounts.lock_out"
    SIGNED_OUT = "accounts.sign_out"
    SESSION_ENDED = "accounts.end_session"
    STEP_UP_PASSED = "accounts.step_up", "Prove anew who one is"
    STEP_UP_FAILED = "accounts.step_up_failed", "Fail to prove who one is"
    SECOND_FACTOR_ADDED = "accounts.add_second_factor"
    SECOND_FACTOR_REMOVED = "accounts.remove_second_factor"
    SECOND_FACTOR_RESET = "accounts.reset_second_factor"
    RECOVERY_CODES_MADE = "accounts.make_recovery_codes"
    PASSWORD_CHANGED = "accounts.change_password"
    PASSWORD_RESET_ASKED = "accounts.ask_password_reset"
    PASSWORD_RESET = "accounts.reset_password"
    FILTER_SHARED = "accounts.share_filter"
    FILTER_CHANGED = "accounts.change_shared_filter"
    FILTER_DELETED = "accounts.delete_shared_filter"
    CUSTOMERS_EXPORTED = "accounts.export_customers"
    TAGS_EXPORTED = "accounts.export_tags"
    CUSTOMERS_IMPORTED = "accounts.import_customers"
    LEDGER_EXPORTED = "credits.export_ledger", "Export the ledger"
    BALANCES_EXPORTED = "credits.export_balances"
    PACKS_EXPORTED = "billing.export_packs", "Export credit packs"
    PLANS_EXPORTED = "billing.export_plans"
    RATES_EXPORTED = "billing.export_rates", "Export exchange rates"
    PAYMENTS_EXPORTED = "billing.export_payments"
    SUBSCRIPTIONS_EXPORTED = "billing.export_subscriptions"
    REFUNDS_EXPORTED = "billing.export_refunds"
    DISPUTES_EXPORTED = "billing.export_disputes"
    INVOICES_EXPORTED = "billing.export_invoices"
    AUDIT_EXPORTED = "audit.export", "Export the audit log"
    AUDIT_VERIFIED = "audit.verify", "Verify the audit log"
    JOB_STARTED = "jobs.start", "Start a job"
    JOB_CANCELED = "jobs.cancel", "Cancel a job"
    JOB_RETRIED = "jobs.retry", "Try a job again"
    JOB_UNDONE = "jobs.undo", "Undo a job"
    JOB_DOWNLOADED = "jobs.download", "Download a result"
    MESSAGE_SENT_AGAIN = "jobs.send_message_again"
    APPROVAL_REQUESTED = "jobs.request_approval"
    APPROVAL_APPROVED = "jobs.approve", "Approve a request"
    APPROVAL_DENIED = "jobs.deny", "Deny a request"
    APPROVAL_WITHDRAWN = "jobs.withdraw_approval", "Withdraw a request"
    APPROVAL_EXPIRED = "jobs.expire_approval", "Let a request lapse"
    BACKUP_MADE = "backup.make"
    BACKUP_RESTORED = "backup.restore"
    PRUNE_BEGUN = "retention.begin"
    PRUNE_FINISHED = "retention.finish"
    DEMO_BEGUN = "demo.begin", "Begin the demo company"
    DEMO_FINISHED = "demo.finish", "Finish the demo company"


def label_of(action: str) -> str:
    """What an action is called; that of an entry older than this list, in its own words."""
    try:
        return Action(action).label
    except ValueError:
        return _words(action.rpartition(".")[2])


def area_of(action: str) -> str:
    """``credits`` of ``credits.gift``."""
    return action.partition(".")[0]


def area_label(area: str) -> str:
    """What an area is called."""
    return AREAS.get(area) or _words(area)


def by_area() -> dict[str, Sequence[Action]]:
    """The actions of each area, in the order of this list."""
    areas = dict.fromkeys(area_of(action) for action in Action)
    return {area: [action for action in Action if area_of(action) == area] for area in areas}
