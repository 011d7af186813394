"""What this app offers to the rest of the house, under strings."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from accounts import customer_page, jumps, keeping, proving, selectors
from accounts.admin import bulk_acts
from accounts.exports import TAGS, USERS
from accounts.models import CustomerTotals
from audit.exporting import offer
from backoffice.lib import roles
from backoffice.lib.admin import display
from backoffice.lib.registry import (
    CustomerCard,
    JumpProvider,
    ListMemory,
    NavigationItem,
    ResourceLink,
    customer_cards,
    jump_providers,
    list_memories,
    navigation,
    resource_links,
)

SEE_CUSTOMERS, SEE_STAFF = "accounts.view_customer", "accounts.view_staffmember"


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.hide("accounts_user", ("password",))
    roles.hide("accounts_apikey", ("key_hash",))
    # A key's hash, scopes and owner are for good; a key that is not wanted is revoked.
    roles.declare("accounts_apikey", roles.TableGrant(update=("last_used_at", "revoked_at")))
    # How a status changed is evidence; only the words of a reason go when the customer is anonymised.
    roles.declare("accounts_statuschange", roles.TableGrant(update=("reason",)))
    # What became of a customer is for good; a merged one's id is hashed when the survivor is anonymised.
    roles.declare("accounts_retiredcustomer", roles.TableGrant(update=("into_id", "former_id")))
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
    offer(TAGS)
    bulk_acts.register()
    keeping.register()
    proving.register()
    _register_navigation()
    _register_cards()
    jump_providers.register(
        JumpProvider(key="customers", label="Customers", permission=SEE_CUSTOMERS, find=jumps.customers, order=10)
    )
    list_memories.register(ListMemory(key="accounts", read=selectors.remembered))
    resource_links.register(ResourceLink(key="accounts.user", addresses=_pages_of_people, names=("staff",)))
    customer_page.register()


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
