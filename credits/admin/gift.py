"""The form by which staff give credits to a customer."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.models import Customer
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.money import format_credits
from credits import selectors, services
from credits.admin.additions import AdditionView
from credits.admin.effects import balance_changes, check_has_ledger
from credits.admin.fields import AmountField, LastDayField, ReasonField
from credits.limits import Limit


class GiftForm(forms.Form):
    amount = AmountField(help_text="Credits, such as 100 or 0.25.")
    reason = ReasonField()
    last_day = LastDayField("Unspent credits lapse when this day ends in your time zone. Empty: they do not expire.")


class GiftView(AdditionView):
    permission_required = "credits.gift_credits"
    form_class = GiftForm
    title = "Gift credits"
    submit_label = "Gift credits"
    verb = limited_verb = Limit.GIFT
    key_name = "gift"

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_has_ledger(subject)
        account = selectors.standing(user_id=subject.pk, now=clock.now())
        changes = balance_changes(account, cleaned_data["amount"])
        if expires_at := cleaned_data["last_day"]:
            changes.append(Change.told("The gift lapses", display.expiry(expires_at)))
        return changes

    def act(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], key: str) -> str:
        result = services.gift_credits(
            user_id=subject.pk,
            amount=cleaned_data["amount"],
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=key,
            expires_at=cleaned_data["last_day"],
        )
        if result.replayed:
            return Caution("This gift was given before, and nothing was done again.")
        return f"{format_credits(result.amount)} credits given. The balance is {format_credits(result.balance_after)}."
