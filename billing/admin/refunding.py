"""The form by which staff give money back, and how it is shown to a second person."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse

from backoffice.lib import money
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.work import ApprovableVerb, LimitedVerb, approvable_verbs, limited_verbs
from billing import limits, selectors, stripe_api
from billing.admin.prices import PlainDecimalField
from billing.admin.refund_effects import credit_changes
from billing.approving import refund_params, run_refund
from billing.errors import BillingError, NotRefundable, StripeNotConfigured
from billing.limits import Limit
from billing.models import CreditPolicy, Payment, Refund, RefundStatus
from billing.services.refund_calls import make_refund
from billing.services.refunding import checked_amount, request_refund
from credits.errors import CreditError
from jobs.admin.approvable import ApprovableFormView
from jobs.errors import LimitExceeded, WorkError
from jobs.selectors import pending_about


class RefundForm(forms.Form):
    """``amount`` is typed as customers see it and cleaned to minor units; None is all that is left."""

    amount = PlainDecimalField(
        required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    policy = forms.ChoiceField(label="Credits", choices=CreditPolicy.choices, widget=forms.RadioSelect)
    reason = ReasonField("Kept with the refund and in the audit log. The customer does not see it.")

    def __init__(self, payment: Payment, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.payment = payment
        left = money.format_money(selectors.refundable_minor(payment), payment.currency)
        self.fields["amount"].label = f"Amount in {payment.currency}"
        self.fields["amount"].help_text = f"Empty: all that is left, {left}."
        if not payment.transaction_id:
            # It bought no credits, so there are none to take.
            del self.fields["policy"]

    def clean_amount(self) -> int | None:
        amount: Decimal | None = self.cleaned_data["amount"]
        currency = self.payment.currency
        if amount is None:
            return self._all_that_is_left(currency)
        decimals = money.exponent(currency)
        if amount.scaleb(decimals) % 1:
            raise forms.ValidationError(f"An amount in {currency} has at most {decimals} decimals.")
        if amount <= 0:
            raise forms.ValidationError("The amount must be more than 0.")
        return money.minor_units(amount, currency)

    def _all_that_is_left(self, currency: str) -> int | None:
        """Typed into the form for the reader, so that what the next page shows is done, whatever happens in between."""
        left = selectors.refundable_minor(self.payment)
        if not left:
            return None
        self.data = {**self.data.dict(), "amount": f"{money.major_units(left, currency):f}"}
        return left


class RefundPaymentView(ApprovableFormView):
    verb = limited_verb = Limit.REFUND
    key_name = "refund"
    permission_required = "billing.refund_payment"
    needs_step_up = True
    is_dangerous = True
    title = "Refund payment"
    submit_label = "Refund"
    navigation_key = "billing-payment"
    domain_errors = (BillingError, CreditError, WorkError)
    help_text = "Stripe sends the money back to where it came from; that cannot be taken back."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Payment:
        payment = selectors.payments().filter(pk=kwargs["payment_id"]).first()
        if payment is None:
            raise Http404("There is no such payment.")
        return payment

    def describe(self, subject: Payment) -> str:
        amount = money.format_money(subject.amount_minor, subject.currency)
        return f"{amount} of {subject.user.email}, {subject.stripe_payment_id}"

    def obstacle(self, subject: Payment) -> str:
        if not stripe_api.is_configured():
            return str(StripeNotConfigured())
        try:
            checked_amount(subject, None)
        except NotRefundable as refusal:
            return str(refusal)
        return ""

    def get_form(self, subject: Payment, data: Any = None, initial: dict[str, Any] | None = None) -> forms.Form:
        return RefundForm(subject, data, initial={"policy": CreditPolicy.CLAW_BACK, **(initial or {})})

    def effect(self, subject: Payment, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if not stripe_api.is_configured():
            raise StripeNotConfigured
        left = selectors.refundable_minor(subject)
        amount = checked_amount(subject, cleaned_data["amount"])
        fee, currency = subject.fee_minor, subject.settlement_currency
        return [
            *(Change.told("Waits for approval already", asked) for asked in waiting_refunds(subject)),
            Change.told("Goes back", display.money(amount, subject.currency)),
            Change(
                "Left of the payment",
                display.money(left, subject.currency),
                display.money(left - amount, subject.currency),
            ),
            *credit_changes(subject, amount, _policy(cleaned_data)),
            Change.told(
                "Stripe keeps",
                "its fee, which is not known yet" if fee is None else display.money(fee, currency),
            ),
        ]

    def amount(self, subject: Payment, cleaned_data: dict[str, Any]) -> Decimal:
        return self._worth(subject, cleaned_data) or Decimal(0)

    def notice(self, request: HttpRequest, subject: Payment, cleaned_data: dict[str, Any]) -> str:
        worth = self._worth(subject, cleaned_data)
        try:
            limits.check_countable(staff=request.user, verb=self.limited_verb, amount=worth, currency=subject.currency)
        except LimitExceeded as exceeded:
            return f"{exceeded} A second person has to allow this: you can ask for it."
        return super().notice(request, subject, cleaned_data)

    def approval_params(self, subject: Payment, cleaned_data: dict[str, Any]) -> Mapping[str, Any]:
        return refund_params(subject.pk, checked_amount(subject, cleaned_data["amount"]), _policy(cleaned_data))

    def resource(self, subject: Payment) -> tuple[str, str]:
        return subject.user._meta.label_lower, str(subject.user_id)

    def act(self, request: HttpRequest, subject: Payment, cleaned_data: dict[str, Any], key: str) -> str:
        asked = request_refund(
            payment_id=subject.pk,
            amount_minor=cleaned_data["amount"],
            policy=_policy(cleaned_data),
            reason=cleaned_data["reason"],
            actor=request.user,
            idempotency_key=key,
        )
        return told(make_refund(refund_id=asked.pk))

    def success_url(self, subject: Payment) -> str:
        return reverse("admin:billing_payment_change", args=[subject.pk])

    def _worth(self, subject: Payment, cleaned_data: dict[str, Any]) -> Decimal | None:
        return limits.counted(checked_amount(subject, cleaned_data["amount"]), subject.currency)


def waiting_refunds(payment: Payment) -> list[str]:
    """The refunds of a payment that a second person has still to allow, in words."""
    waiting = pending_about(resource_type=payment.user._meta.label_lower, resource_id=str(payment.user_id))
    return [
        f"{money.format_money(approval.params['amount_minor'], payment.currency)}, request {approval.pk} of "
        f"{approval.requested_by}"
        for approval in waiting
        if approval.verb == Limit.REFUND and approval.params["payment"] == payment.pk
    ]


def told(refund: Refund) -> str:
    """What came of a refund, for whoever asked for it."""
    amount = money.format_money(refund.amount_minor, refund.payment.currency)
    if not refund.is_going_back:
        return Caution(f"{amount} did not go back. {refund.failure}")
    if refund.status == RefundStatus.SUCCEEDED:
        return f"{amount} given back."
    if refund.stripe_refund_id:
        return f"{amount} is on its way back."
    if refund.failure:
        return Caution(f"{amount} go back, but that could not be booked yet. {refund.failure}")
    return Caution(
        f"Stripe has not answered yet whether {amount} goes back. That is found out by itself: do not ask again."
    )


def _policy(cleaned_data: dict[str, Any]) -> CreditPolicy:
    return CreditPolicy(cleaned_data.get("policy") or CreditPolicy.CLAW_BACK)


def register() -> None:
    """Called once, from the app's offers."""
    limited_verbs.register(
        LimitedVerb(
            key=Limit.REFUND,
            label="Refund payments",
            unit="in the currency of reports",
            format=limits.shown,
            order=10,
        )
    )
    approvable_verbs.register(
        ApprovableVerb(
            key=Limit.REFUND,
            label="Refund a payment",
            permission=RefundPaymentView.permission_required,
            unit="in the currency of reports",
            effect=_effect,
            run=run_refund,
            url=lambda params: reverse("admin:billing_payment_change", args=[params["payment"]]),
            refusals=(BillingError, CreditError),
            order=10,
        )
    )


def _effect(params: Mapping[str, Any]) -> Sequence[Change]:
    payment = selectors.payments().filter(pk=params["payment"]).first()
    if payment is None:
        raise NotRefundable("There is no such payment any more.")
    return RefundPaymentView().effect(payment, {"amount": params["amount_minor"], "policy": params["policy"]})
