"""The forms by which staff merge a customer into another, and by which they forget one. Neither can be undone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpRequest

from accounts import selectors, services
from accounts.admin.status import CustomerFormView, page_of
from accounts.badges import status_badge
from accounts.errors import AnonymiseRefused, MergeRefused
from accounts.models import Customer, Status
from accounts.services import merging
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change
from backoffice.lib.admin.panels import ActionGroup
from backoffice.lib.lives import anonymisers


def reason_field(help_text: str) -> forms.CharField:
    return forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text=help_text)


class RetypedForm(forms.Form):
    """Asks for the email of whom it is about once more, so that nobody does it to the wrong one."""

    retyped = forms.CharField(
        label="Their email once more", max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def check(self, customer: Customer) -> None:
        """Add an error unless the email that was typed is this customer's."""
        if self.cleaned_data.get("retyped", "").strip().lower() != customer.email.lower():
            self.add_error("retyped", f"This is not the email of customer {customer.pk}.")


class MergeForm(RetypedForm):
    into = forms.CharField(
        label="Merge into", max_length=254, help_text="The one who stays: email, our id or the product's."
    )
    reason = reason_field("Kept in the audit log of both.")
    field_order = ("into", "retyped", "reason")

    def clean_into(self) -> Customer:
        named = self.cleaned_data["into"].strip()
        survivor = selectors.customer_by_email(named) or selectors.customer_by_any_id(named)
        if survivor is None:
            raise forms.ValidationError("There is no such customer.")
        return survivor


class AnonymiseForm(RetypedForm):
    reason = reason_field("Kept in the audit log for ever: do not name the person here.")
    field_order = ("retyped", "reason")


class FinalView(CustomerFormView):
    """An act that is for good. Its form asks for the email of whom it is about."""

    is_dangerous = True

    def get_form(self, subject: Customer, data: Any = None, initial: dict[str, Any] | None = None) -> forms.Form:
        form = super().get_form(subject, data, initial)
        # A second click comes when the email is gone already: the service knows that it was done.
        is_done = selectors.retirement_of(subject.pk) is not None
        if data is not None and form.is_valid() and not is_done:
            form.check(subject)  # type: ignore[attr-defined]
        return form


class MergeView(FinalView):
    permission_required = "accounts.merge_customers"
    form_class = MergeForm
    title = submit_label = "Merge customer"
    help_text = (
        "For somebody who is here twice: this customer becomes part of another one, who keeps everything, and stays "
        "without a name for the ledger alone. It cannot be undone."
    )

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        survivor = cleaned_data["into"]
        if refusals := merging.obstacles(survivor, subject):
            raise MergeRefused(" ".join(refusals))
        return [
            Change("Goes", subject.email, "no name, nothing left to spend"),
            Change("Stays", survivor.email, survivor.email),
            Change("Activity, notes and tags", f"of customer {subject.pk}", f"customer {survivor.pk}'s"),
            Change("Product's id", subject.external_id or display.absent(), f"leads to customer {survivor.pk}"),
            *merging.effects(survivor.pk, subject.pk),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        survivor = cleaned_data["into"]
        result = services.merge_customers(
            survivor_id=survivor.pk, merged_id=subject.pk, reason=cleaned_data["reason"], actor=request.user
        )
        if result.replayed:
            return Caution("The two were merged before, and nothing was done again.")
        return f"Customer {subject.pk} is part of {survivor.email} now."

    def success_url(self, subject: Customer) -> str:
        retired = selectors.retirement_of(subject.pk)
        return page_of(retired.into_id if retired and retired.into_id else subject.pk)


class AnonymiseView(FinalView):
    permission_required = "accounts.anonymise_customer"
    form_class = AnonymiseForm
    title = submit_label = "Anonymise customer"
    help_text = "Everything personal goes, in every table. It cannot be undone by anybody."

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if refusals := services.anonymise_obstacles(subject):
            raise AnonymiseRefused(" ".join(refusals))
        user_ids = selectors.family_of(subject.pk)
        return [
            Change("Name, email, avatar and ids", subject.email, "gone"),
            Change("Notes, tags, activity, messages, what Stripe told", "as they are", "emptied"),
            Change("Ledger, payments, audit log", "as they are", "stay, of nobody"),
            Change("Status", status_badge(subject.status), status_badge(Status.BANNED)),
            *(line for anonymiser in anonymisers for line in anonymiser.effect(user_ids)),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        result = services.anonymise_user(user_id=subject.pk, reason=cleaned_data["reason"], actor=request.user)
        if result.replayed:
            return Caution("This customer was anonymised before, and nothing was done again.")
        return f"Customer {subject.pk} is anonymised."


# What still makes sense to do to a row that is there for its ledger alone.
LEFT_OF_RETIRED = ("statement",)


def retirement_on_page(customer: Customer, groups: Sequence[ActionGroup]) -> dict[str, Any]:
    """Context of the customer page: what became of a customer, and the acts that are left for one who is none."""
    retired = selectors.retirement_seen(customer)
    if retired is None:
        absorbed = selectors.family_of(customer.pk)[1:]
        return {"absorbed": [(user_id, page_of(user_id)) for user_id in absorbed]}
    left = [replace(group, actions=[act for act in group.actions if act.key in LEFT_OF_RETIRED]) for group in groups]
    return {
        "retired": retired,
        "survivor_url": page_of(retired.into_id) if retired.into_id else "",
        "action_groups": [group for group in left if group.actions],
        "may_tag": False,
    }
