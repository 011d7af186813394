"""The form by which staff give credits to a customer."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts.models import Customer
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.money import format_credits
from credits import selectors, services
from credits.admin.effects import REFUSALS, balance_changes, check_has_ledger
from credits.admin.fields import AmountField, LastDayField, ReasonField
from credits.approving import addition
from credits.limits import Limit
from jobs.admin.approvable import ApprovableFormView


class GiftForm(forms.Form):
    amount = AmountField(help_text="Credits, such as 100 or 0.25.")
    reason = ReasonField()
    last_day = LastDayField("Unspent credits lapse when this day ends in your time zone. Empty: they do not expire.")


class GiftView(ApprovableFormView):
    permission_required = "credits.gift_credits"
    form_class = GiftForm
    title = "Gift credits"
    submit_label = "Gift credits"
    navigation_key = "customers"
    domain_errors = REFUSALS
    verb = limited_verb = Limit.GIFT

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Customer:
        customer = Customer.objects.filter(pk=kwargs["user_id"]).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def get_initial(self, request: HttpRequest, subject: Customer) -> dict[str, Any]:
        # The small buttons of the customers list fill in an amount; it is read like one that was typed.
        return {"amount": request.GET.get("amount", "")}

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_has_ledger(subject)
        account = selectors.standing(user_id=subject.pk, now=clock.now())
        changes = balance_changes(account, cleaned_data["amount"])
        if expires_at := cleaned_data["last_day"]:
            changes.append(Change.told("The gift lapses", display.expiry(expires_at)))
        return changes

    def act(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        result = services.gift_credits(
            user_id=subject.pk,
            amount=cleaned_data["amount"],
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=f"admin:gift:{token}",
            expires_at=cleaned_data["last_day"],
        )
        if result.replayed:
            return Caution("This gift was given before, and nothing was done again.")
        return f"{format_credits(result.amount)} credits given. The balance is {format_credits(result.balance_after)}."

    def amount(self, subject: Customer, cleaned_data: dict[str, Any]) -> Decimal:
        return cleaned_data["amount"]

    def approval_params(self, subject: Customer, cleaned_data: dict[str, Any]) -> dict[str, Any]:
        return addition(subject.pk, cleaned_data["amount"], cleaned_data["last_day"])

    def resource(self, subject: Customer) -> tuple[str, str]:
        return "accounts.user", str(subject.pk)

    def success_url(self, subject: Customer) -> str:
        return reverse("admin:accounts_customer_change", args=[subject.pk])
