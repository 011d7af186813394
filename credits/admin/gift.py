"""The form by which staff give credits to a customer."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.money import format_credits
from credits import selectors, services
from credits.amounts import parse_amount
from credits.errors import CreditError, DemoCustomer, InvalidAmount


class AmountField(forms.CharField):
    """A positive amount of credits in plain digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def clean(self, value: Any) -> Decimal:
        text = super().clean(value)
        try:
            return parse_amount(text)
        except InvalidAmount as error:
            raise forms.ValidationError(str(error)) from error


class GiftForm(forms.Form):
    amount = AmountField(help_text="Credits, such as 100 or 0.25.")
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the ledger and the audit log."
    )
    last_day = forms.DateField(
        label="Last day of use",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Unspent credits lapse when this day ends in your time zone. Empty: they do not expire.",
    )

    def clean_last_day(self) -> datetime | None:
        day = self.cleaned_data["last_day"]
        if day is None:
            return None
        if not timezone.localdate() <= day <= timezone.localdate() + timedelta(days=3650):
            raise forms.ValidationError("Choose a day from today on, at most ten years ahead.")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class GiftView(ConfirmFormView):
    permission_required = "credits.gift_credits"
    form_class = GiftForm
    title = "Gift credits"
    submit_label = "Gift credits"
    navigation_key = "customers"
    domain_errors = (CreditError,)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Customer:
        customer = Customer.objects.filter(pk=kwargs["user_id"]).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.demo_mode:
            raise DemoCustomer(subject.pk)
        available = selectors.available_credits(user_id=subject.pk, now=clock.now())
        changes = [
            Change("Balance", display.credits(available), display.credits(available + cleaned_data["amount"])),
        ]
        if expires_at := cleaned_data["last_day"]:
            changes.append(Change("The gift lapses", display.absent(), display.moment(expires_at)))
        return changes

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
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

    def success_url(self, subject: Customer) -> str:
        return reverse("admin:accounts_customer_change", args=[subject.pk])
