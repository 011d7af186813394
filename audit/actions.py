"""Every verb that the audit log knows, as ``area.verb``.

The list stands here, below all apps, so that the viewer can offer it; it imports none of them.
"""

from enum import StrEnum


class Action(StrEnum):
    RECORD_ADDED = "record.add"
    RECORD_CHANGED = "record.change"
    RECORD_DELETED = "record.delete"
    CREDITS_GIFT = "credits.gift"
    CREDITS_ADJUST = "credits.adjust"
    CREDITS_REFUND = "credits.refund"
    CREDITS_REVERSE = "credits.reverse"
    LEDGER_VERIFIED = "credits.verify_ledger"
    STRIPE_EVENT_REPLAYED = "billing.replay_event"
    API_KEY_CREATED = "accounts.create_api_key"
    API_KEY_REVOKED = "accounts.revoke_api_key"
    USER_BANNED = "accounts.ban_user"
    USER_UNBANNED = "accounts.unban_user"
    USER_SUSPENDED = "accounts.suspend_user"
    USER_REINSTATED = "accounts.lift_suspension"
    DEFAULT_ROLES_EXTENDED = "accounts.extend_default_role"
    CUSTOMERS_EXPORTED = "accounts.export_customers"
    LEDGER_EXPORTED = "credits.export_ledger"
    BALANCES_EXPORTED = "credits.export_balances"
    PAYMENTS_EXPORTED = "billing.export_payments"
    AUDIT_EXPORTED = "audit.export"
    JOB_STARTED = "jobs.start"
    JOB_CANCELED = "jobs.cancel"
    JOB_RETRIED = "jobs.retry"
    JOB_UNDONE = "jobs.undo"
    JOB_DOWNLOADED = "jobs.download"
    MESSAGE_SENT_AGAIN = "jobs.send_message_again"
    LIMIT_SET = "jobs.set_limit"
    APPROVAL_REQUESTED = "jobs.request_approval"
    APPROVAL_APPROVED = "jobs.approve"
    APPROVAL_DENIED = "jobs.deny"
    APPROVAL_WITHDRAWN = "jobs.withdraw_approval"
    APPROVAL_EXPIRED = "jobs.expire_approval"
    DEMO_BEGUN = "demo.begin"
    DEMO_FINISHED = "demo.finish"
