"""The form by which staff correct a balance, either way."""

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
from credits.admin.fields import LastDayField, ReasonField, SignedAmountField
from credits.errors import InsufficientCredits
from credits.limits import Limit


class AdjustForm(forms.Form):
    amount = SignedAmountField(help_text="Credits to add, such as 100, or to take, such as -0.25.")
    reason = ReasonField()
    last_day = LastDayField("Only for credits that are added: unspent ones lapse when this day ends in your time zone.")

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("last_day") and given.get("amount") is not None and given["amount"] < 0:
            self.add_error("last_day", "Credits that are taken do not expire: leave this empty.")
        return given


class AdjustView(AdditionView):
    permission_required = "credits.adjust_credits"
    form_class = AdjustForm
    title = "Adjust balance"
    submit_label = "Adjust balance"
    is_dangerous = True
    verb = limited_verb = Limit.ADJUST
    key_name = "adjust"
    help_text = "A correction of the ledger itself. A present is a gift, and usage that failed is refunded."

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_has_ledger(subject)
        account, amount = selectors.standing(user_id=subject.pk, now=clock.now()), cleaned_data["amount"]
        if -amount > account.available:
            raise InsufficientCredits(needed=-amount, available=account.available)
        changes = balance_changes(account, amount)
        if expires_at := cleaned_data["last_day"]:
            changes.append(Change.told("The credits lapse", display.expiry(expires_at)))
        return changes

    def act(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], key: str) -> str:
        result = services.adjust_credits(
            user_id=subject.pk,
            amount=cleaned_data["amount"],
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=key,
            expires_at=cleaned_data["last_day"],
        )
        if result.replayed:
            return Caution("This adjustment was made before, and nothing was done again.")
        done = f"{format_credits(abs(result.amount))} credits {'added' if result.amount > 0 else 'taken'}."
        return f"{done} The balance is {format_credits(result.balance_after)}."
