"""What syncing with Stripe offers: its jobs, its page, and a button on the customer page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from backoffice.lib.admin import display
from backoffice.lib.registry import CustomerAction, NavigationItem, customer_actions, navigation
from backoffice.lib.work import JobKind, job_kinds
from billing.errors import StripeCallFailed
from billing.resources import RESOURCES
from billing.services import sync_jobs
from billing.services.syncing import SyncRefused

MAY_SYNC = "billing.sync_stripe"


def register() -> None:
    """Called once, from ``offers.register()``."""
    kinds = [
        (sync_jobs.SYNC, "Sync with Stripe", sync_jobs.run_sync),
        (sync_jobs.SYNC_CUSTOMER, "Sync a customer with Stripe", sync_jobs.run_customer_sync),
    ]
    for key, label, whole in kinds:
        job_kinds.register(
            JobKind(
                key=key,
                label=label,
                permission=MAY_SYNC,
                whole=whole,
                words=_words_of_sync,
                refusals=(SyncRefused, StripeCallFailed),
                targets="objects of Stripe",
            )
        )
    navigation.register(
        NavigationItem(
            key="billing-syncstate",
            section="Billing",
            label="Stripe sync",
            url_name="admin:billing_syncstate_changelist",
            icon="exchange",
            permission="billing.view_syncstate",
            order=80,
        )
    )
    customer_actions.register(
        CustomerAction(
            key="sync",
            label="Sync with Stripe",
            icon="exchange",
            permission=MAY_SYNC,
            url=lambda customer: reverse("admin:billing_customer_sync", args=[customer.pk]),
            group="Record",
            applies=lambda customer: bool(customer.stripe_customer_id),
            order=60,
        )
    )


def _words_of_sync(params: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    if customer_id := params.get("customer"):
        address = reverse("admin:accounts_customer_change", args=[customer_id])
        return [("Customer", display.link(address, f"customer {customer_id}"))]
    lists = ", ".join(RESOURCES[key].label for key in params["only"]) or "All"
    since = params["since"]
    return [("Lists", lists), ("Created since", display.moment(datetime.fromisoformat(since)) if since else "Ever")]
