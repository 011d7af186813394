"""What this app offers to the rest of the house, under strings."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import jumps, selectors
from accounts.exports import USERS
from accounts.models import Customer, CustomerTotals, Status
from audit.exporting import offer
from backoffice.lib import roles
from backoffice.lib.admin import display
from backoffice.lib.registry import (
    CustomerAction,
    CustomerCard,
    CustomerFigure,
    CustomerPanel,
    JumpProvider,
    ListMemory,
    NavigationItem,
    ResourceLink,
    customer_actions,
    customer_cards,
    customer_figures,
    customer_panels,
    jump_providers,
    list_memories,
    navigation,
    resource_links,
)

SHOWN_ACTIVITY = 10
SHOWN_STATUS_CHANGES = 20
SEE_CUSTOMERS, SEE_STAFF = "accounts.view_customer", "accounts.view_staffmember"


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.hide("accounts_user", ("password",))
    roles.hide("accounts_apikey", ("key_hash",))
    # A key's hash, scopes and owner are for good; a key that is not wanted is revoked.
    roles.declare("accounts_apikey", roles.TableGrant(update=("last_used_at", "revoked_at")))
    # How a status changed is evidence; only the words of a reason go when the customer is anonymised.
    roles.declare("accounts_statuschange", roles.TableGrant(update=("reason",)))
    roles.declare("accounts_passwordresetrequest", roles.TableGrant())
    # A live session's key is a login, and so is the secret of a second factor.
    roles.hide("accounts_staffsession")
    roles.hide("django_session")
    roles.hide("mfa_authenticator", ("data",))
    # What people typed for their address is now and then their password.
    roles.hide("axes_accessattempt")
    # Allauth would keep addresses of its own beside those of the people; nobody shall write any.
    roles.declare("account_emailaddress", roles.TableGrant(insert=False))
    roles.declare("account_emailconfirmation", roles.TableGrant(insert=False))
    offer(USERS)
    _register_navigation()
    _register_figures()
    _register_cards()
    jump_providers.register(
        JumpProvider(key="customers", label="Customers", permission=SEE_CUSTOMERS, find=jumps.customers, order=10)
    )
    list_memories.register(ListMemory(key="accounts", read=selectors.remembered))
    resource_links.register(ResourceLink(key="accounts.user", addresses=_pages_of_people, names=("staff",)))
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
    _register_actions()


def _register_navigation() -> None:
    pages = [
        ("customers", "Customers", "Customers", "admin:accounts_customer_changelist", "customers", SEE_CUSTOMERS),
        ("tags", "Customers", "Tags", "admin:accounts_tag_changelist", "tag", "accounts.view_tag"),
        ("staff", "Settings", "Staff", "admin:accounts_staffmember_changelist", "staff", SEE_STAFF),
        ("roles", "Settings", "Roles", "admin:accounts_role_changelist", "roles", "accounts.view_role"),
        ("api-keys", "Settings", "API keys", "admin:accounts_apikey_changelist", "key", "accounts.view_apikey"),
    ]
    for order, (key, section, label, url_name, icon, permission) in enumerate(pages):
        navigation.register(
            NavigationItem(
                key=key, section=section, label=label, url_name=url_name, icon=icon, permission=permission, order=order
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
        ("suspend", "Suspend", "pause", "accounts.suspend_user", [Status.ACTIVE]),
        ("reinstate", "Lift suspension", "play", "accounts.suspend_user", [Status.SUSPENDED]),
        ("ban", "Ban", "ban", "accounts.ban_user", [Status.ACTIVE, Status.SUSPENDED]),
        ("unban", "Lift ban", "play", "accounts.ban_user", [Status.BANNED]),
        ("reset_password", "Reset password", "key", "accounts.reset_password", [Status.ACTIVE]),
    ]
    for order, (key, label, icon, permission, statuses) in enumerate(actions, start=10):
        customer_actions.register(
            CustomerAction(
                key=key,
                label=label,
                icon=icon,
                permission=permission,
                url=partial(_act_url, key),
                group="Guard",
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
        "may_write": reader.has_perm("accounts.add_staffnote"),
        "may_delete_any": reader.has_perm("accounts.delete_any_note"),
    }


def _status_history(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"changes": selectors.status_history(user_id=customer.pk)[:SHOWN_STATUS_CHANGES]}


def _register_cards() -> None:
    cards = [
        (10, "customers", "Customers", lambda totals: display.number(totals.customers), _growth),
        (20, "paying", "Paying", lambda totals: display.number(totals.paying), _share_that_pays),
        (
            30,
            "credits",
            "Average credits",
            lambda totals: display.credits(round(totals.average_balance, 2)),
            lambda totals: "",
        ),
    ]
    for order, key, label, value, note in cards:
        customer_cards.register(
            CustomerCard(key=key, label=label, permission=SEE_CUSTOMERS, value=value, note=note, order=order)
        )


def _growth(totals: CustomerTotals) -> str:
    new, before = totals.joined_lately, totals.joined_before
    if not before:
        return f"{new:,} new in 30 days"
    return f"{new:,} new in 30 days, {(new - before) / before:+.0%} against the 30 before"


def _share_that_pays(totals: CustomerTotals) -> str:
    return f"{totals.paying / totals.customers:.1%} of all" if totals.customers else ""


def _pages_of_people(user: Any, ids: Sequence[str]) -> Mapping[str, str]:
    """Of customers and of staff, each for whoever may see such people."""
    pages = {
        False: ("admin:accounts_customer_change", SEE_CUSTOMERS),
        True: ("admin:accounts_staffmember_change", SEE_STAFF),
    }
    allowed = {is_staff: name for is_staff, (name, permission) in pages.items() if user.has_perm(permission)}
    found = selectors.which_are_staff(ids) if allowed else {}
    return {str(pk): reverse(allowed[is_staff], args=[pk]) for pk, is_staff in found.items() if is_staff in allowed}


def _spend(customer: Customer) -> Any:
    return display.money(customer.figures.spend_minor, settings.REPORTING_CURRENCY)


def _activity(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"events": selectors.recent_activity(user_id=customer.pk, limit=SHOWN_ACTIVITY)}
