"""Which roles the product begins with and what each may do.

A super admin (``is_superuser``) needs no role and may do everything. Staff edit roles as they like: every line here is
given once, by the first migrate that knows it, and never again. A new permission of an app is entered here, under the
roles that should have it from the start.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.db import connections

SEE_CUSTOMERS = ("accounts.view_customer", "accounts.view_activityevent")
# What colleagues wrote down about a customer, and one's own.
NOTES_AND_TAGS = ("accounts.view_staffnote", "accounts.add_staffnote", "accounts.view_tag", "accounts.tag_customers")
SEE_LEDGER = (
    "credits.view_credittransaction",
    "credits.view_creditlot",
    "credits.view_credithold",
    "credits.view_creditdebt",
)
SEE_PAYMENTS = (
    "billing.view_payment",
    "billing.view_refund",
    "billing.view_dispute",
    "billing.view_invoice",
    "billing.view_subscription",
    "billing.view_creditpack",
    "billing.view_plan",
    "billing.view_planprice",
    "billing.view_exchangerate",
)

DEFAULT_ROLES: dict[str, tuple[str, ...]] = {
    # Finds a customer in seconds, explains a balance, makes up for what went wrong.
    "Support": (
        *SEE_CUSTOMERS,
        *SEE_LEDGER,
        *SEE_PAYMENTS,
        *NOTES_AND_TAGS,
        "accounts.change_customer",
        "accounts.add_tag",
        "accounts.change_tag",
        "accounts.export_tags",
        "accounts.ban_user",
        "accounts.suspend_user",
        "accounts.reset_password",
        "accounts.merge_customers",
        "credits.gift_credits",
        "credits.refund_usage",
        "credits.export_statement",
        "billing.refund_payment",
        "jobs.view_approval",
        "jobs.view_outboxmessage",
        "jobs.read_message",
        "jobs.mail_customers",
    ),
    # Payments, packs, corrections of balances, and the proof that all adds up.
    "Billing admin": (
        *SEE_CUSTOMERS,
        *SEE_LEDGER,
        *SEE_PAYMENTS,
        *NOTES_AND_TAGS,
        "accounts.export_customers",
        "accounts.share_savedfilter",
        "credits.gift_credits",
        "credits.adjust_credits",
        "credits.adjust_allowance",
        "credits.refund_usage",
        "credits.export_ledger",
        "credits.export_statement",
        "billing.export_payments",
        "billing.export_subscriptions",
        "billing.export_refunds",
        "billing.export_disputes",
        "billing.export_invoices",
        "billing.export_creditpacks",
        "billing.export_plans",
        "billing.export_exchangerates",
        "credits.view_integrityrun",
        "credits.verify_ledger",
        "accounts.view_figuresproof",
        "accounts.verify_figures",
        "jobs.view_approval",
        "jobs.decide_approval",
        "jobs.view_rolelimit",
        "billing.add_creditpack",
        "billing.change_creditpack",
        "billing.add_plan",
        "billing.change_plan",
        "billing.add_planprice",
        "billing.change_planprice",
        "billing.add_exchangerate",
        "billing.change_exchangerate",
        "billing.read_paymentmethods",
        "billing.view_stripeevent",
        "billing.replay_stripeevent",
        "billing.refund_payment",
        "billing.reconcile",
        "billing.view_syncstate",
        "billing.sync_stripe",
    ),
    # The gallery, reports, and whoever breaks the rules.
    "Content moderator": (*SEE_CUSTOMERS, *NOTES_AND_TAGS, "accounts.ban_user", "accounts.suspend_user"),
    # Health, queues and errors; who did what.
    "Operations": (
        *SEE_CUSTOMERS,
        *SEE_LEDGER,
        *SEE_PAYMENTS,
        "credits.view_integrityrun",
        "credits.verify_ledger",
        "accounts.view_figuresproof",
        "accounts.verify_figures",
        "billing.view_stripeevent",
        "billing.replay_stripeevent",
        "billing.view_syncstate",
        "billing.sync_stripe",
        "audit.view_auditentry",
        "audit.view_auditproof",
        "audit.verify_audit",
        "accounts.view_apikey",
        "jobs.view_all_jobs",
        "jobs.view_outboxmessage",
        "jobs.retry_message",
    ),
    # Looks at everything that is counted, and takes it along as files; changes nothing.
    "Analyst": (
        *SEE_CUSTOMERS,
        *SEE_LEDGER,
        *SEE_PAYMENTS,
        "accounts.export_customers",
        "credits.export_ledger",
        "billing.export_payments",
        "billing.export_subscriptions",
        "billing.export_refunds",
        "billing.export_disputes",
        "billing.export_invoices",
        "billing.export_creditpacks",
        "billing.export_plans",
        "billing.export_exchangerates",
        "credits.view_integrityrun",
        "accounts.view_figuresproof",
    ),
}

# What a role may do of an act by itself: at once, and in a day. Above it a second person decides. In credits; of
# payments, in major units of REPORTING_CURRENCY.
DEFAULT_LIMITS: dict[str, dict[str, tuple[int, int]]] = {
    "Support": {"credits.gift": (100, 500), "credits.refund": (500, 2_000), "billing.refund": (50, 200)},
    "Billing admin": {
        "credits.gift": (1_000, 5_000),
        "credits.refund": (5_000, 20_000),
        "credits.adjust": (5_000, 20_000),
        "billing.refund": (500, 2_000),
    },
}


def apply_after_migrate(*, using: str, **_: Any) -> None:
    """Called once all apps have migrated."""
    from accounts.models import DefaultRole  # noqa: PLC0415 (models are loaded only now)
    from accounts.services import apply_default_roles  # noqa: PLC0415
    from jobs.models import RoleLimit  # noqa: PLC0415
    from jobs.services import apply_default_limits  # noqa: PLC0415

    if DefaultRole._meta.db_table not in connections[using].introspection.table_names():
        return  # Migrated back to a time before there were default roles.
    for app in apps.get_app_configs():
        # The last app's permissions may not be there yet: Django makes them in answer to the same signal.
        create_permissions(app, verbosity=0, using=using)
    apply_default_roles(DEFAULT_ROLES, using=using)
    if RoleLimit._meta.db_table in connections[using].introspection.table_names():
        apply_default_limits(DEFAULT_LIMITS, using=using)
