"""What this app offers to the customer page: figures, panels, acts, and its part of ending a customer."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import selectors
from accounts.models import Customer, Status
from backoffice.lib.admin import display
from backoffice.lib.lives import Anonymiser, anonymisers
from backoffice.lib.registry import (
    CustomerAction,
    CustomerFigure,
    CustomerPanel,
    customer_actions,
    customer_figures,
    customer_panels,
)

SHOWN_ACTIVITY = 10
SHOWN_STATUS_CHANGES = 20
SEE_CUSTOMERS = "accounts.view_customer"


def register() -> None:
    """Called once, with the other offers of this app."""
    _register_figures()
    _register_panels()
    _register_actions()
    anonymisers.register(
        Anonymiser(
            key="accounts",
            # The service empties its own app's tables itself, after all others.
            forget=lambda user_ids, known: {},
            erased={
                "accounts.User": (
                    "email",
                    "external_id",
                    "full_name",
                    "avatar",
                    "password",
                    "status_reason",
                    "stripe_customer_id",
                    "referral_code",
                    "signup_source",
                    "country",
                ),
                "accounts.ActivityEvent": ("visitor_id", "details", "ip", "user_agent"),
                "accounts.StaffNote": ("text",),
                "accounts.StatusChange": ("reason",),
                "accounts.StaffSession": ("session_key", "session_data", "ip", "user_agent"),
                "accounts.CustomerSearch": ("document",),
                "accounts.RetiredCustomer": ("former_id",),
                "accounts.SavedFilter": ("query",),
            },
            kept={
                "accounts.User": "the plan that was paid",
                "accounts.ActivityEvent": "what was done, by an id under which it is kept once",
                "accounts.StatusChange": "where a change came from and its key",
                "accounts.PasswordResetRequest": "the key under which it was asked for",
                "accounts.CustomerFigures": "plan, country and source as they are beside the person",
                "accounts.FiguresProof": "names customers by number",
                "accounts.ApiKey": "keys of programs, and of staff",
                "accounts.DefaultRole": "roles",
                "accounts.SavedFilter": "the staff's names for their filters",
                "accounts.ListPreference": "the staff's columns",
                "accounts.Tag": "words for many, taken off this one",
            },
            order=100,
        )
    )


def _register_panels() -> None:
    customer_panels.register(
        CustomerPanel(
            key="activity",
            title="Activity",
            template="accounts/panels/activity.html",
            permission="accounts.view_activityevent",
            context=_activity,
            column="side",
            order=200,
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="notes",
            title="Notes",
            template="accounts/panels/notes.html",
            permission="accounts.view_staffnote",
            context=_notes,
            column="side",
            order=50,
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="status",
            title="Status history",
            template="accounts/panels/status.html",
            permission=SEE_CUSTOMERS,
            context=_status_history,
            column="side",
            order=150,
        )
    )


def _register_figures() -> None:
    figures = [
        (20, "spend", "Spend", _spend),
        (80, "joined", "Joined", lambda customer: display.moment(customer.date_joined)),
        (90, "active", "Last active", lambda customer: display.moment(customer.last_active_at)),
    ]
    for order, key, label, value in figures:
        customer_figures.register(
            CustomerFigure(key=key, label=label, permission=SEE_CUSTOMERS, value=value, order=order)
        )


def _register_actions() -> None:
    actions = [
        ("Guard", "suspend", "Suspend", "pause", "accounts.suspend_user", [Status.ACTIVE]),
        ("Guard", "reinstate", "Lift suspension", "play", "accounts.suspend_user", [Status.SUSPENDED]),
        ("Guard", "ban", "Ban", "ban", "accounts.ban_user", [Status.ACTIVE, Status.SUSPENDED]),
        ("Guard", "unban", "Lift ban", "play", "accounts.ban_user", [Status.BANNED]),
        ("Guard", "reset_password", "Reset password", "key", "accounts.reset_password", [Status.ACTIVE]),
        ("Record", "merge", "Merge", "merge", "accounts.merge_customers", [Status.ACTIVE]),
        ("Record", "anonymise", "Anonymise", "mask", "accounts.anonymise_customer", list(Status)),
    ]
    for order, (group, key, label, icon, permission, statuses) in enumerate(actions, start=20):
        customer_actions.register(
            CustomerAction(
                key=key,
                label=label,
                icon=icon,
                permission=permission,
                url=partial(_act_url, key),
                group=group,
                applies=partial(_has_status, statuses),
                order=order,
            )
        )


def _act_url(name: str, customer: Customer) -> str:
    return reverse(f"admin:accounts_customer_{name}", args=[customer.pk])


def _has_status(statuses: Collection[Status], customer: Customer) -> bool:
    return customer.status in statuses


def _notes(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    reader = request.user
    return {
        "notes": selectors.notes_on(user_id=customer.pk),
        "may_write": reader.has_perm("accounts.add_staffnote") and selectors.retirement_seen(customer) is None,
        "may_delete_any": reader.has_perm("accounts.delete_any_note"),
    }


def _status_history(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"changes": selectors.status_history(user_id=customer.pk)[:SHOWN_STATUS_CHANGES]}


def _spend(customer: Customer) -> Any:
    return display.money(customer.figures.spend_minor, settings.REPORTING_CURRENCY)


def _activity(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"events": selectors.recent_activity(user_id=customer.pk, limit=SHOWN_ACTIVITY)}
