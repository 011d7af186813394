"""What this app offers to the rest of the house, under strings."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import Customer
from audit.exporting import offer
from audit.selectors import entry_with
from backoffice.lib import clock, roles
from backoffice.lib.admin import display
from backoffice.lib.admin.proofs import is_too_old
from backoffice.lib.money import format_credits
from backoffice.lib.registry import (
    CustomerAction,
    CustomerFigure,
    CustomerPanel,
    CustomerPart,
    CustomerRowAction,
    DemoGuard,
    EntryLink,
    JumpProvider,
    NavigationItem,
    ResourceLink,
    customer_actions,
    customer_figures,
    customer_panels,
    customer_parts,
    customer_row_actions,
    demo_guards,
    entry_links,
    jump_providers,
    navigation,
    resource_links,
)
from credits import allocation, jumps, lives, selectors
from credits.admin import approvals, bulk_gift, ledger_panel
from credits.api.balances import TransactionOut, transaction_out
from credits.exports import BALANCES, TRANSACTIONS
from credits.models import CreditAccount, CreditTransaction

# What the small buttons of the customers list fill in, for the reader to change.
QUICK_AMOUNT = 10
SEE_LEDGER = "credits.view_credittransaction"
ACCOUNT_FIGURES = (
    "balance",
    "held",
    "debt",
    "lots_total",
    "seq",
    "last_posted_at",
    "lifetime_purchased",
    "lifetime_consumed",
    "current_period_consumed",
    "period_started_at",
    "period_seq",
    "monthly_allowance",
    "allowance_anchor",
    "next_reset_at",
    "allowance_paid_until",
    "updated_at",
)


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    _declare_grants()
    _guard_demo_mode()
    lives.register()
    customer_parts.register(
        CustomerPart(key="transactions", permission=SEE_LEDGER, schema=TransactionOut, read=_latest_entries, order=10)
    )
    offer(TRANSACTIONS)
    offer(BALANCES)
    _register_figures()
    _register_panels()
    _register_navigation()
    approvals.register()
    bulk_gift.register()
    entry_links.register(
        EntryLink(key="audit", label="Audit", permission="audit.view_auditentry", find=_audit_entry, order=200)
    )
    resource_links.register(ResourceLink(key="credits.credittransaction", names=("transaction", "reverses")))
    _register_actions()
    _register_row_actions()
    jump_providers.register(
        JumpProvider(key="entries", label="Ledger entries", permission=SEE_LEDGER, find=jumps.entries, order=20)
    )


def _register_actions() -> None:
    actions = [
        ("Give", "gift", "Gift credits", "gift", "credits.gift_credits"),
        ("Give", "adjust", "Adjust", "adjust", "credits.adjust_credits"),
        ("Give", "allowance", "Allowance", "repeat", "credits.adjust_allowance"),
        ("Record", "statement", "Statement", "receipt", "credits.export_statement"),
    ]
    for order, (group, form, label, icon, permission) in enumerate(actions, start=10):
        customer_actions.register(
            CustomerAction(
                key=form,
                label=label,
                icon=icon,
                permission=permission,
                url=partial(_form, form),
                group=group,
                order=order,
            )
        )


def _form(form: str, customer: Customer) -> str:
    return reverse(f"admin:credits_{form}", args=[customer.pk])


def _register_row_actions() -> None:
    actions = [
        ("gift", "Gift credits", "plus", "credits.gift_credits", QUICK_AMOUNT),
        ("adjust", "Take credits", "minus", "credits.adjust_credits", -QUICK_AMOUNT),
    ]
    for order, (form, label, icon, permission, amount) in enumerate(actions):
        customer_row_actions.register(
            CustomerRowAction(
                key=f"{form}-quickly",
                label=label,
                icon=icon,
                permission=permission,
                url=partial(_form_with_amount, form, amount),
                order=order,
            )
        )


def _form_with_amount(form: str, amount: int, customer: Customer) -> str:
    return f"{reverse(f'admin:credits_{form}', args=[customer.pk])}?amount={amount}"


def _audit_entry(entry: CreditTransaction) -> tuple[str, str] | None:
    """Who booked it, when somebody of the staff did."""
    if entry.actor_id is None:
        return None
    told = entry_with(
        resource_type="accounts.user", resource_id=str(entry.account_id), name="transaction", value=entry.pk
    )
    return (reverse("admin:audit_auditentry_change", args=[told.pk]), f"by {told.actor_label}") if told else None


def _register_navigation() -> None:
    lists = [
        ("ledger", "Ledger", "credittransaction", "ledger"),
        ("lots", "Lots", "creditlot", "layers"),
        ("holds", "Holds", "credithold", "hourglass"),
        ("debts", "Debts", "creditdebt", "scale"),
    ]
    for order, (key, label, model, icon) in enumerate(lists, start=10):
        navigation.register(
            NavigationItem(
                key=key,
                section="Credits",
                label=label,
                url_name=f"admin:credits_{model}_changelist",
                icon=icon,
                permission=SEE_LEDGER,
                order=order,
            )
        )
    navigation.register(
        NavigationItem(
            key="integrity",
            section="Credits",
            label="Integrity",
            url_name="admin:credits_integrityrun_changelist",
            icon="shield",
            permission="credits.view_integrityrun",
            order=20,
            badge=_integrity_badge,
            alarm="The ledger did not hold in its last proof, or was not proven for 36 hours.",
        )
    )


def _integrity_badge() -> int:
    """Broken rows of the last proof; 1 when it is too long ago to trust."""
    run = selectors.last_integrity_run()
    if run is None:
        return 0
    return run.faults or int(is_too_old(run))


def _latest_entries(user_id: int, limit: int) -> list[TransactionOut]:
    return [transaction_out(row) for row in selectors.entries_of(user_id).order_by("-seq")[:limit]]


def _guard_demo_mode() -> None:
    demo_guards.register(DemoGuard(key="ledger", counted_among=selectors.with_entries))


def _declare_grants() -> None:
    roles.declare("credits_creditaccount", roles.TableGrant(update=ACCOUNT_FIGURES))
    roles.declare("credits_credittransaction", roles.TableGrant())
    roles.declare("credits_creditdraw", roles.TableGrant())
    roles.declare("credits_creditlot", roles.TableGrant(update=("remaining",)))
    roles.declare("credits_creditdebt", roles.TableGrant(update=("remaining",)))
    hold_end = ("state", "captured", "transaction_id", "closed_at")
    roles.declare("credits_credithold", roles.TableGrant(update=hold_end))
    roles.declare("credits_integrityrun", roles.TableGrant())
    # What a key was used for never changes; keys are removed by their age.
    roles.declare("credits_idempotencyrecord", roles.TableGrant(delete=True))


def _register_figures() -> None:
    figures = [
        ("available", "Available", _available),
        ("purchased", "Purchased", _purchased),
        ("used", "Used", _used),
        ("held", "Held", _held),
        ("debt", "Debt", _debt),
    ]
    for order, (key, label, value) in enumerate(figures, start=10):
        customer_figures.register(CustomerFigure(key=key, label=label, permission=SEE_LEDGER, value=value, order=order))


def _register_panels() -> None:
    customer_panels.register(
        CustomerPanel(
            key="lots",
            title="Open lots",
            template="credits/panels/lots.html",
            permission=SEE_LEDGER,
            context=_open_lots,
            order=10,
            link=lambda customer: reverse("admin:credits_explain", args=[customer.pk]),
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="ledger",
            title="Ledger",
            template="credits/panels/ledger.html",
            permission=SEE_LEDGER,
            context=ledger_panel.context,
            order=20,
            link=ledger_panel.whole,
        )
    )


def _available(customer: Customer) -> Any:
    return display.balance(_standing(customer).available)


def _purchased(customer: Customer) -> Any:
    return display.credits(_account(customer).lifetime_purchased)


def _used(customer: Customer) -> Any:
    return display.credits(_account(customer).lifetime_consumed)


def _held(customer: Customer) -> Any:
    return display.credits(_standing(customer).held)


def _debt(customer: Customer) -> Any:
    debt = _standing(customer).debt
    return (
        format_html('<span class="figure negative">{}</span>', format_credits(debt)) if debt else display.credits(debt)
    )


def _standing(customer: Customer) -> allocation.Account:
    # Asked for by several parts of one page, which shows one moment: kept beside the person, as a relation would be.
    cache = customer._state.fields_cache
    if "credit_standing" not in cache:
        cache["credit_standing"] = selectors.standing(user_id=customer.pk, now=clock.now())
    return cache["credit_standing"]


def _account(customer: Customer) -> CreditAccount:
    # Asked for by several figures of one page: the relation keeps what it has read.
    return getattr(customer, "credit_account", None) or CreditAccount(user_id=customer.pk)


def _open_lots(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"lots": selectors.open_lots(_standing(customer))}
