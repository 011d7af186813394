"""The forms that set right what the reconciliation page lists: each shows its effect first and acts once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import Customer
from accounts.selectors import customer_of_staff
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.money import format_credits
from billing import selectors
from billing.admin.reconciliation import NAVIGATION, RECONCILE, may_reconcile
from billing.admin.told import what_was_paid
from billing.badges import state_badge
from billing.errors import BillingError, NotReconcilable, Parked
from billing.handlers.stories import story_of
from billing.models import EventState, Payment, StripeEvent
from billing.models.events import NEEDS_ATTENTION
from billing.selectors.reconciliation import MONEY_TYPES
from billing.services import reconciling
from credits import selectors as credits
from credits.acts import Clawback
from credits.admin.effects import REFUSALS, balance_changes, check_has_ledger
from credits.admin.fields import AmountField
from credits.amounts import parse_amount
from credits.errors import InvalidAmount
from credits.kinds import TransactionKind
from credits.models import CreditTransaction


class CustomerField(forms.CharField):
    """A customer whom staff name; cleaned to the row."""

    def __init__(self) -> None:
        super().__init__(
            max_length=254,
            label="Customer",
            help_text="Their email, the product's id of them, or the number in the address of their page.",
        )
        self.widget.attrs |= {"autocomplete": "off"}

    def clean(self, value: Any) -> Customer:
        text = super().clean(value)
        customer = customer_of_staff(text)
        if customer is None:
            raise forms.ValidationError("There is no such customer.")
        return customer


class ReasonForm(forms.Form):
    reason = ReasonField()


class LinkForm(forms.Form):
    customer = CustomerField()
    reason = ReasonField()


class AssignForm(forms.Form):
    customer = CustomerField()
    credits = AmountField(help_text="How many were bought. They count against your limit of adjustments.")
    reason = ReasonField("How you know whose it is and what for. Kept in the audit log.")


class FixView(ConfirmFormView):
    """The base of all fixes: from the page, and back to it."""

    permission_required = RECONCILE
    navigation_key = NAVIGATION
    domain_errors = (BillingError, *REFUSALS)
    form_class: ClassVar[type[forms.Form]] = ReasonForm

    def has_permission(self, request: HttpRequest) -> bool:
        return may_reconcile(request)

    def success_url(self, subject: Any) -> str:
        return reverse("billing-reconciliation")


class EventFixView(FixView):
    def get_subject(self, request: HttpRequest, **kwargs: Any) -> StripeEvent:
        event = StripeEvent.objects.defer("body").filter(pk=kwargs["event_id"]).first()
        if event is None:
            raise Http404("There is no such event.")
        return event

    def describe(self, subject: StripeEvent) -> Any:
        if not _tells_of_a_payment(subject):
            return subject
        return format_html("{}: {}", subject, what_was_paid(story_of(subject)))

    def get_initial(self, request: HttpRequest, subject: StripeEvent) -> dict[str, Any]:
        """What the events of the payment themselves say; nobody has to type it."""
        if not _tells_of_a_payment(subject):
            return {}
        try:
            story = story_of(subject)
            emails = sorted(story.emails)
            whose = story.reference or (emails[0] if len(emails) == 1 else "")
            return {"customer": whose, "credits": parse_amount(story.credits) if story.credits else ""}
        except (Parked, InvalidAmount):
            # Whoever has to find it out does not begin with what could not be read.
            return {}


def _tells_of_a_payment(event: StripeEvent) -> bool:
    return event.type in MONEY_TYPES and bool(event.payment_intent_id)


class SettleEventView(EventFixView):
    title = "Leave event"
    submit_label = "Leave it"
    help_text = "For an event that was dealt with elsewhere, or needs nothing. It can still be replayed."

    def effect(self, subject: StripeEvent, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.state not in NEEDS_ATTENTION:
            raise NotReconcilable(f"This event is {subject.get_state_display().lower()}: it waits for nobody.")
        return [
            Change("State", state_badge(subject.state), state_badge(EventState.IGNORED)),
            Change.told("Credits and payments", "stay as they are"),
        ]

    def perform(self, request: HttpRequest, subject: StripeEvent, cleaned_data: dict[str, Any], token: str) -> str:
        reconciling.settle_by_hand(event_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        return f"{subject.stripe_id} is left as it is. It can still be replayed, from its own page."


class LinkView(EventFixView):
    form_class = LinkForm
    title = "Link Stripe customer"
    submit_label = "Link and replay"
    help_text = "Stripe's customer of this event is entered on ours, and the event is processed once more."

    def effect(self, subject: StripeEvent, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        customer = cleaned_data["customer"]
        stripe_customer_id = reconciling.linkable_customer(subject)
        reconciling.check_linkable(customer, stripe_customer_id)
        return [
            Change.told("Customer", customer.email),
            Change("In Stripe", "unknown", stripe_customer_id),
            Change("Event", state_badge(subject.state), "processed once more, at once"),
        ]

    def perform(self, request: HttpRequest, subject: StripeEvent, cleaned_data: dict[str, Any], token: str) -> str:
        event = reconciling.link_and_replay(
            event_id=subject.pk,
            user_id=cleaned_data["customer"].pk,
            actor=request.user,
            reason=cleaned_data["reason"],
        )
        if event.state == EventState.PROCESSED:
            return "Linked, and the event has taken effect."
        return Caution(f"Linked, but the event is {event.get_state_display().lower()}: {event.error}")


class AssignView(EventFixView):
    form_class = AssignForm
    title = "Assign payment"
    submit_label = "Book payment"
    is_dangerous = True
    help_text = "The payment of this event is booked for a customer, with the credits that you name."

    def effect(self, subject: StripeEvent, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        customer, bought = cleaned_data["customer"], cleaned_data["credits"]
        purchase = reconciling.assignable(subject, user_id=customer.pk, credits=bought)
        check_has_ledger(customer)
        account = credits.standing(user_id=customer.pk, now=clock.now())
        return [
            Change.told("Payment", display.money(purchase.amount_minor, purchase.currency)),
            Change.told("Customer", customer.email),
            Change.told("Credits", display.change(bought)),
            *balance_changes(account, bought),
        ]

    def perform(self, request: HttpRequest, subject: StripeEvent, cleaned_data: dict[str, Any], token: str) -> str:
        payment = reconciling.assign_payment(
            event_id=subject.pk,
            user_id=cleaned_data["customer"].pk,
            credits=cleaned_data["credits"],
            actor=request.user,
            reason=cleaned_data["reason"],
        )
        return f"Payment {payment.stripe_payment_id} is booked for {cleaned_data['customer'].email}."


class SettlePaymentView(FixView):
    title = "Settle credits"
    submit_label = "Settle"
    help_text = "The credits of this payment are brought in line with what was refunded and disputed of it."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Payment:
        payment = selectors.payments().filter(pk=kwargs["payment_id"]).first()
        if payment is None:
            raise Http404("There is no such payment.")
        return payment

    def effect(self, subject: Payment, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        wanted, taken = selectors.credits_to_take(subject), selectors.credits_taken(subject)
        if wanted == taken:
            raise NotReconcilable("The credits of this payment fit what went back of it: there is nothing to settle.")
        account = credits.standing(user_id=subject.user_id, now=clock.now())
        return [
            Change("Credits taken back", display.credits(taken), display.credits(wanted)),
            Change("Balance", display.credits(account.balance), display.credits(account.balance + taken - wanted)),
        ]

    def perform(self, request: HttpRequest, subject: Payment, cleaned_data: dict[str, Any], token: str) -> str:
        reconciling.settle_payment(payment_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        reconciling.count_mismatches()
        return f"The credits of {subject.stripe_payment_id} are settled."


class TakeBackView(FixView):
    title = "Take credits back"
    submit_label = "Take back"
    is_dangerous = True
    help_text = "What is left of this purchase is taken back, since no payment stands behind it."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> CreditTransaction:
        purchases = credits.ledger().filter(kind=TransactionKind.PURCHASE)
        entry = purchases.filter(pk=kwargs["purchase_id"]).first()
        if entry is None:
            raise Http404("There is no such purchase.")
        return entry

    def describe(self, subject: CreditTransaction) -> str:
        return f"{subject} of {subject.account.user.email}"

    def effect(self, subject: CreditTransaction, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        left = self._left(subject)
        act = Clawback(transaction_id=subject.pk, amount=left, kind=TransactionKind.REVERSAL, idempotency_key="preview")
        seen = credits.preview(act, now=clock.now())
        return [
            Change.told("Credits", display.change(-left)),
            Change("Balance", display.credits(seen.balance_before), display.credits(seen.balance_after)),
            Change("Debt", display.credits(seen.debt_before), display.credits(seen.debt_after)),
        ]

    def perform(
        self, request: HttpRequest, subject: CreditTransaction, cleaned_data: dict[str, Any], token: str
    ) -> str:
        result = reconciling.take_back(
            transaction_id=subject.pk,
            amount=self._left(subject),
            actor=request.user,
            reason=cleaned_data["reason"],
            idempotency_key=f"admin:take-back:{token}",
        )
        reconciling.count_mismatches()
        taken, balance = format_credits(-result.amount), format_credits(result.balance_after)
        return f"{taken} credits taken back. The balance is {balance}."

    def _left(self, subject: CreditTransaction) -> Decimal:
        reconciling.check_unpaid(subject.pk)
        left = subject.amount - selectors.taken_of_purchase(subject.pk)
        if left <= 0:
            raise NotReconcilable("All of this purchase was taken back before.")
        return left
