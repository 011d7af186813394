"""Gifts, corrections, refunds and reversals as requests that a second person decides on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.urls import reverse

from accounts.errors import CustomerRetired
from accounts.models import Customer
from backoffice.lib.admin.confirm import Change
from backoffice.lib.money import format_credits
from backoffice.lib.work import ApprovableVerb, LimitedVerb, approvable_verbs, limited_verbs
from credits import approving, selectors
from credits.admin.adjust import AdjustView
from credits.admin.gift import GiftView
from credits.admin.undo import RefundView, ReverseView
from credits.errors import CreditError, UnknownTransaction, UnknownUser
from credits.limits import Limit
from jobs.admin.approvable import ApprovableFormView

LABELS = {Limit.GIFT: "Gift credits", Limit.ADJUST: "Adjust a balance", Limit.REFUND: "Refund usage"}


def register() -> None:
    """Called once, from the app's offers."""
    for order, (verb, label) in enumerate(LABELS.items()):
        limited_verbs.register(
            LimitedVerb(
                key=verb,
                label=label,
                unit="credits",
                format=lambda amount: f"{format_credits(amount)} credits",
                order=order,
            )
        )
    _offer(GiftView, LABELS[Limit.GIFT], _customer_effect, approving.GIFT, _customer_url)
    _offer(AdjustView, LABELS[Limit.ADJUST], _customer_effect, approving.ADJUST, _customer_url)
    _offer(RefundView, LABELS[Limit.REFUND], _entry_effect, approving.REFUND_USAGE, _entry_url)
    _offer(ReverseView, "Reverse an entry", _entry_effect, approving.REVERSE_ENTRY, _entry_url)


def _offer(
    view: type[ApprovableFormView],
    label: str,
    effect: Callable[[ApprovableFormView, Mapping[str, Any]], Sequence[Change]],
    run: Callable[..., str],
    url: Callable[[Mapping[str, Any]], str],
) -> None:
    approvable_verbs.register(
        ApprovableVerb(
            key=view.verb,
            label=label,
            permission=view.permission_required,
            unit="credits",
            # The effect as the form showed it, worked out anew from how things are now.
            effect=lambda params: effect(view(), params),
            run=run,
            url=url,
            refusals=(CreditError, CustomerRetired),
        )
    )


def _customer_effect(view: ApprovableFormView, params: Mapping[str, Any]) -> Sequence[Change]:
    customer = Customer.objects.filter(pk=params["user"]).first()
    if customer is None:
        raise UnknownUser(params["user"])
    return view.effect(
        customer, {"amount": approving.amount_in(params), "last_day": approving.expiry_in(params), "reason": ""}
    )


def _entry_effect(view: ApprovableFormView, params: Mapping[str, Any]) -> Sequence[Change]:
    entry = selectors.ledger().filter(pk=params["transaction"]).first()
    if entry is None:
        raise UnknownTransaction(params["transaction"])
    return view.effect(entry, {"amount": approving.amount_in(params), "reason": ""})


def _customer_url(params: Mapping[str, Any]) -> str:
    return reverse("admin:accounts_customer_change", args=[params["user"]])


def _entry_url(params: Mapping[str, Any]) -> str:
    return reverse("admin:credits_credittransaction_change", args=[params["transaction"]])
