"""The form by which staff set a monthly allowance."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest

from accounts.admin.status import CustomerFormView
from accounts.models import Customer
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.money import format_credits
from credits import services
from credits.admin.effects import REFUSALS, check_has_ledger
from credits.admin.fields import AmountField, ReasonField
from credits.models import CreditAccount


class AllowanceField(AmountField):
    """An amount a month; 0 ends the allowance."""

    def read(self, text: str) -> Decimal:
        return Decimal(0) if text.strip(" ") == "0" else super().read(text)


class AllowanceForm(forms.Form):
    amount = AllowanceField(label="Credits a month", help_text="Such as 200. 0 ends the allowance.")
    reason = ReasonField()


class AllowanceView(CustomerFormView):
    permission_required = "credits.adjust_allowance"
    form_class = AllowanceForm
    title = submit_label = "Adjust allowance"
    is_dangerous = True
    domain_errors = REFUSALS
    help_text = "While a subscription is live, its next invoice sets the allowance anew."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Customer:
        customer = Customer.objects.select_related("credit_account").filter(pk=kwargs["user_id"]).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def get_initial(self, request: HttpRequest, subject: Customer) -> dict[str, Any]:
        return {"amount": f"{_account(subject).monthly_allowance.normalize():f}"}

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_has_ledger(subject)
        account, amount = _account(subject), cleaned_data["amount"]
        grants, ends_at = services.preview_allowance(user_id=subject.pk, amount=amount)
        now, then = account.next_reset_at, ends_at if amount else None
        return [
            Change("Credits a month", display.credits(account.monthly_allowance), display.credits(amount)),
            Change.told("Granted at once", display.credits(grants) if grants else "nothing"),
            Change("Next period", display.moment(now) if now != then else None, display.moment(then)),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        result = services.adjust_allowance(
            user_id=subject.pk,
            amount=cleaned_data["amount"],
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=f"admin:allowance:{token}",
        )
        if not result.changed:
            return Caution(f"The allowance is {format_credits(result.after)} credits a month, as it was.")
        granted = f" {format_credits(result.granted)} were granted at once." if result.granted else ""
        return f"The allowance is {format_credits(result.after)} credits a month.{granted}"


def _account(customer: Customer) -> CreditAccount:
    return getattr(customer, "credit_account", None) or CreditAccount(user_id=customer.pk)
