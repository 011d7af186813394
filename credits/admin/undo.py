"""The forms by which staff undo an entry: a usage is refunded, what came in free or was taken is reversed."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.errors import CustomerRetired
from accounts.selectors import retirement_of
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.money import format_credits
from credits import allocation, selectors, services, undoing
from credits.acts import Refund, Reversal
from credits.admin.effects import REFUSALS
from credits.admin.fields import AmountField, ReasonField
from credits.approving import REVERSE
from credits.approving import undoing as undoing_params
from credits.limits import Limit
from credits.models import CreditTransaction
from credits.postings import PostResult
from jobs.admin.approvable import ApprovableFormView


class UndoForm(forms.Form):
    amount = AmountField(required=False, help_text="Credits. Empty: all that is left of it.")
    reason = ReasonField()


class UndoView(ApprovableFormView):
    form_class = UndoForm
    is_dangerous = True
    navigation_key = "ledger"
    domain_errors = REFUSALS
    done_before: ClassVar[str]
    # The act as the effect of it is worked out, and the service that does it.
    act_class: ClassVar[type[Refund | Reversal]]
    undo: ClassVar[Callable[..., PostResult]]

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> CreditTransaction:
        entry = selectors.ledger().filter(pk=kwargs["entry_id"]).first()
        if entry is None:
            raise Http404("There is no such entry.")
        entry.leads_back_to_customer = request.GET.get(undoing.BACK) == undoing.CUSTOMER
        return entry

    def describe(self, subject: CreditTransaction) -> str:
        what = f": {subject.description}" if subject.description else ""
        return f"{subject} of {subject.account.user.email}{what}"

    def effect(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        seen = self._preview(subject, cleaned_data)
        undone_after = seen.undone_before + abs(seen.entry.amount)
        of_all = format_credits(abs(subject.amount))
        changes = [
            Change.told("Credits", display.change(seen.entry.amount)),
            Change(
                self.done_before,
                display.credits(seen.undone_before),
                f"{format_credits(undone_after)} of {of_all}",
            ),
            Change("Balance", display.credits(seen.balance_before), display.credits(seen.balance_after)),
            Change("Available", display.credits(seen.available_before), display.credits(seen.available_after)),
            Change.told("Lots", _lots(seen.entry)),
        ]
        if seen.pays_debt:
            changes.append(Change.told("Pays debt", display.credits(seen.pays_debt)))
        return changes

    def _preview(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> selectors.Preview:
        act = self.act_class(
            transaction_id=subject.pk,
            amount=cleaned_data["amount"],
            description=cleaned_data["reason"],
            idempotency_key="preview",
            grace=settings.CREDIT_REFUND_GRACE,
        )
        return selectors.preview(act, now=clock.now())

    def amount(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> Decimal:
        return abs(self._preview(subject, cleaned_data).entry.amount)

    def approval_params(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> dict[str, Any]:
        # What is left of it when it is asked for; more may not come back by the time it is allowed.
        return undoing_params(subject.pk, self.amount(subject, cleaned_data))

    def resource(self, subject: CreditTransaction) -> tuple[str, str]:
        return "accounts.user", str(subject.account_id)

    def act(self, request: HttpRequest, subject: CreditTransaction, cleaned_data: dict[str, Any], key: str) -> str:
        result = self.undo(
            transaction_id=subject.pk,
            amount=cleaned_data["amount"],
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=key,
        )
        if result.replayed:
            return Caution("This was done before, and nothing was done again.")
        done = f"{format_credits(abs(result.amount))} credits {'given' if result.amount > 0 else 'taken'} back."
        return f"{done} The balance is {format_credits(result.balance_after)}."

    def success_url(self, subject: CreditTransaction) -> str:
        if subject.leads_back_to_customer:
            return reverse("admin:accounts_customer_change", args=[subject.account_id])
        return reverse("admin:credits_credittransaction_change", args=[subject.pk])


class RefundView(UndoView):
    verb = limited_verb = Limit.REFUND
    permission_required = "credits.refund_usage"
    needs_step_up = True
    title = "Refund usage"
    submit_label = "Refund"
    done_before = "Refunded"
    help_text = "The credits go back to the lots they came from; what came from a lapsed lot gets a new one."
    act_class = Refund
    undo = staticmethod(services.refund_usage)
    key_name = "refund"


class ReverseView(UndoView):
    verb = REVERSE
    limited_verb = Limit.ADJUST
    permission_required = "credits.adjust_credits"
    title = "Reverse entry"
    submit_label = "Reverse"
    done_before = "Reversed"
    help_text = "Credits that came in are taken back as far as they are unspent and free; what was taken is given back."
    act_class = Reversal
    undo = staticmethod(services.reverse_transaction)
    key_name = "reverse"

    def effect(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        # What a merge took is on the books of who stayed.
        if retirement_of(subject.account_id) is not None:
            raise CustomerRetired
        return super().effect(subject, cleaned_data)


def _lots(entry: allocation.Entry) -> SafeString:
    """Which lots the entry would change, and by how much."""
    drawn = ((display.change(-draw.amount), f"lot {draw.lot.id}", "") for draw in entry.draws)
    opened = (
        (display.change(lot.amount), "a new lot, until", display.expiry(lot.terms.expires_at)) for lot in entry.opens
    )
    return format_html_join("", "<div>{} {} {}</div>", [*drawn, *opened])
