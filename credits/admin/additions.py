"""What the forms of gifts and of adjustments have in common."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from accounts.admin.status import CustomerFormView
from accounts.models import Customer
from credits.admin.effects import REFUSALS
from credits.approving import addition
from jobs.admin.approvable import ApprovableFormView


class AdditionView(ApprovableFormView, CustomerFormView):
    """An amount for one customer, which may lapse at the end of a day."""

    domain_errors = REFUSALS

    def get_initial(self, request: HttpRequest, subject: Customer) -> dict[str, Any]:
        # The small buttons of the customers list fill in an amount; it is read like one that was typed.
        return {"amount": request.GET.get("amount", "")}

    def amount(self, subject: Customer, cleaned_data: dict[str, Any]) -> Decimal:
        return abs(cleaned_data["amount"])

    def approval_params(self, subject: Customer, cleaned_data: dict[str, Any]) -> dict[str, Any]:
        return addition(subject.pk, cleaned_data["amount"], cleaned_data["last_day"])

    def resource(self, subject: Customer) -> tuple[str, str]:
        return "accounts.user", str(subject.pk)
