"""What this app offers to the rest of the house, under strings."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Customer
from accounts.selectors import family_of
from audit.exporting import offer
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from backoffice.lib.lives import Anonymiser, MergeStep, anonymisers, merge_steps
from backoffice.lib.registry import (
    CustomerCard,
    CustomerPanel,
    CustomerPart,
    EntryLink,
    JumpProvider,
    NavigationItem,
    PlanGuard,
    customer_cards,
    customer_panels,
    customer_parts,
    entry_links,
    jump_providers,
    navigation,
    plan_guards,
)
from backoffice.lib.retention import Retention, retentions
from billing import grants, jumps, proving, selectors, sync_offers
from billing.admin import methods, refunding, replay
from billing.admin.reconciliation import NAVIGATION, RECONCILE
from billing.admin.subscriptions import plan_of, until_of
from billing.api.payments import PaymentOut, latest
from billing.badges import invoice_badge, status_badge, subscription_badge
from billing.exports import DISPUTES, INVOICES, PACKS, PAYMENTS, PLANS, RATES, REFUNDS, SUBSCRIPTIONS
from billing.models.statuses import SubscriptionStatus
from billing.selectors.reconciliation import to_reconcile
from billing.services import forgetting, lives

SHOWN_PAYMENTS = 10
SEE_PAYMENTS = "billing.view_payment"
SEE_INVOICES = "billing.view_invoice"
SEE_SUBSCRIPTIONS = "billing.view_subscription"


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    grants.declare()
    for export in (PAYMENTS, SUBSCRIPTIONS, REFUNDS, DISPUTES, INVOICES, PACKS, PLANS, RATES):
        offer(export)
    _register_lives()
    proving.register()
    plan_guards.register(PlanGuard(key="subscriptions", managed_among=selectors.live_subscription_holders))
    refunding.register()
    replay.register()
    sync_offers.register()
    customer_parts.register(
        CustomerPart(key="payments", permission=SEE_PAYMENTS, schema=PaymentOut, read=latest, order=30)
    )
    _register_navigation("payment", "Payments", "card", order=10)
    _register_navigation(
        "subscription",
        "Subscriptions",
        "repeat",
        order=11,
        badge=selectors.subscriptions_past_due,
        badge_query=f"status__exact={SubscriptionStatus.PAST_DUE}",
    )
    _register_navigation("refund", "Refunds", "refund", order=12)
    _register_navigation(
        "dispute",
        "Disputes",
        "dispute",
        order=14,
        badge=selectors.disputes_needing_us,
        badge_query="status__exact=attention",
    )
    _register_navigation(
        "stripeevent",
        "Stripe events",
        "inbox",
        order=20,
        badge=selectors.events_needing_attention,
        badge_query="state__exact=attention",
    )
    navigation.register(
        NavigationItem(
            key=NAVIGATION,
            section="Billing",
            label="Reconciliation",
            url_name="billing-reconciliation",
            icon="scale",
            permission=RECONCILE,
            order=25,
            badge=to_reconcile,
        )
    )
    _register_navigation("invoice", "Invoices", "receipt", order=14)
    _register_navigation("creditpack", "Credit packs", "package", order=30)
    _register_navigation("plan", "Plans", "layers", order=32)
    _register_navigation("exchangerate", "Exchange rates", "exchange", order=34)
    customer_panels.register(
        CustomerPanel(
            key="subscriptions",
            title="Subscriptions",
            template="billing/panels/subscriptions.html",
            permission=SEE_SUBSCRIPTIONS,
            context=_latest_subscriptions,
            order=28,
            link=_all_subscriptions,
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="lifetime",
            title="Lifetime value",
            template="billing/panels/lifetime.html",
            permission=SEE_PAYMENTS,
            context=_lifetime,
            order=32,
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="invoices",
            title="Invoices",
            template="billing/panels/invoices.html",
            permission=SEE_INVOICES,
            context=_latest_invoices,
            order=34,
            link=_all_invoices,
        )
    )
    jump_providers.register(
        JumpProvider(key="invoices", label="Invoices", permission=SEE_INVOICES, find=jumps.invoices, order=34)
    )
    customer_panels.register(
        CustomerPanel(
            key="payments",
            title="Payments",
            template="billing/panels/payments.html",
            permission=SEE_PAYMENTS,
            context=_latest_payments,
            order=30,
            link=_all_payments,
        )
    )
    for key, label, permission, find, order in (
        ("payments", "Payments", SEE_PAYMENTS, jumps.payments, 15),
        ("subscriptions", "Subscriptions", SEE_SUBSCRIPTIONS, jumps.subscriptions, 31),
        ("refunds", "Refunds", "billing.view_refund", jumps.refunds, 32),
        ("disputes", "Disputes", "billing.view_dispute", jumps.disputes, 33),
        ("events", "Stripe events", "billing.view_stripeevent", jumps.events, 40),
    ):
        jump_providers.register(JumpProvider(key=key, label=label, permission=permission, find=find, order=order))
    customer_cards.register(
        CustomerCard(
            key="revenue",
            label="Revenue",
            permission=SEE_PAYMENTS,
            value=lambda totals: display.money(totals.spend_minor, settings.REPORTING_CURRENCY),
            note=lambda totals: "less refunds and disputes, before fees",
            order=40,
        )
    )
    entry_links.register(
        EntryLink(key="payment", label="Payment", permission=SEE_PAYMENTS, find=_payment_behind, order=10)
    )


def _register_lives() -> None:
    merge_steps.register(MergeStep(key="billing", move=lives.count_spend_together, order=20))
    anonymisers.register(
        Anonymiser(
            key="billing",
            forget=lives.forget,
            obstacles=lives.obstacles,
            effect=_parked_events,
            erased={
                "billing.StripeEvent": ("body", "payload", "error"),
                "billing.Payment": (
                    "failure",
                    "payment_method_type",
                    "payment_method_brand",
                    "payment_method_last4",
                ),
                "billing.Refund": ("reason", "failure"),
                "billing.Invoice": ("hosted_url",),
            },
            kept={
                "billing.StripeEvent": "ids of Stripe's objects and versions, by which a later event finds its payment",
                "billing.Payment": "ids of Stripe's objects and the currency, by which money can be given back",
                "billing.Refund": "ids of Stripe's objects and keys, by which money is not given back twice",
                "billing.Dispute": "ids of Stripe's objects and states, by which a later event finds its payment",
                "billing.Invoice": "numbers, amounts and ids of Stripe's objects, which books must keep",
                "billing.Subscription": "ids of Stripe's objects and states, by which revenue is counted",
                "billing.SubscriptionItem": "ids of Stripe's prices, by which revenue is counted",
                "billing.SubscriptionChange": "states and the currency, by which revenue is counted",
                "billing.SyncState": "how far Stripe's lists were read, and of what kinds of object",
                "billing.CreditPack": "what is for sale",
                "billing.Plan": "what is for sale",
                "billing.PlanPrice": "what is for sale",
                "billing.ExchangeRate": "what currencies were worth",
            },
            order=20,
        )
    )
    retentions.register(
        Retention(
            key="stripe-events",
            label="What Stripe's settled events said",
            setting="RETENTION_STRIPE_DAYS",
            count=lambda before: forgetting.old_events(before).count(),
            remove=forgetting.remove_contents,
            order=60,
        )
    )


def _parked_events(user_ids: Sequence[int]) -> list[Change]:
    parked = lives.parked(user_ids)
    return [Change("Parked Stripe events", parked, "emptied, and never booked")] if parked else []


def _register_navigation(
    model: str, label: str, icon: str, *, order: int, badge: Callable[[], int] | None = None, badge_query: str = ""
) -> None:
    navigation.register(
        NavigationItem(
            key=f"billing-{model}",
            section="Billing",
            label=label,
            url_name=f"admin:billing_{model}_changelist",
            icon=icon,
            permission=f"billing.view_{model}",
            order=order,
            badge=badge,
            badge_query=badge_query,
        )
    )


def _latest_payments(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    payments = selectors.latest_payments(user_id=customer.pk, limit=SHOWN_PAYMENTS)
    currency = settings.REPORTING_CURRENCY
    return {
        "payments": [(payment, status_badge(payment.status)) for payment in payments],
        "currency": currency,
        "may_refund": request.user.has_perm(refunding.RefundPaymentView.permission_required),
        "sums_without_rate": payments and selectors.spend_without_rate(family_of(customer.pk)),
    }


def _all_payments(customer: Customer) -> str:
    return f"{reverse('admin:billing_payment_changelist')}?user__exact={customer.pk}"


def _latest_subscriptions(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    found = selectors.subscriptions_of(user_id=customer.pk, limit=SHOWN_PAYMENTS)
    return {"subscriptions": [(each, plan_of(each), subscription_badge(each), *until_of(each)) for each in found]}


def _all_subscriptions(customer: Customer) -> str:
    return f"{reverse('admin:billing_subscription_changelist')}?user__exact={customer.pk}"


def _lifetime(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"values": selectors.lifetime_value(customer.pk), "held": selectors.in_dispute(family_of(customer.pk))}


def _latest_invoices(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    invoices = selectors.latest_invoices(user_id=customer.pk, limit=SHOWN_PAYMENTS)
    may_ask = bool(customer.stripe_customer_id) and request.user.has_perm(methods.PERMISSION)
    return {
        "invoices": [(invoice, invoice_badge(invoice.status)) for invoice in invoices],
        "methods_url": methods.address_of(customer) if may_ask else "",
    }


def _all_invoices(customer: Customer) -> str:
    return f"{reverse('admin:billing_invoice_changelist')}?user__exact={customer.pk}"


def _payment_behind(entry: Any) -> tuple[str, str] | None:
    payment = selectors.payment_behind(entry)
    return (reverse("admin:billing_payment_change", args=[payment.pk]), str(payment)) if payment else None
