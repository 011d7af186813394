"""Mails to many customers at once, from their list."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.html import format_html

from accounts.models import Customer, Status
from backoffice.lib.admin.confirm import Change
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.work import BulkAction, JobKind, Refusal, job_kinds
from jobs import selectors
from jobs.admin.bulk import offer_bulk
from jobs.mail_texts import PLACES, unknown_places
from jobs.services.bulk_mail import mail_for, mail_many

MAIL, PERMISSION = "jobs.mail_many", "jobs.mail_customers"
# Filled in it must still fit the column of the outbox.
SUBJECT_LENGTH, TEXT_LENGTH = 120, 20_000
HELP = "Filled in for each customer: " + "; ".join(f"{{{name}}} is {what}" for name, what in PLACES.items()) + "."


def _known_places(text: str) -> None:
    if unknown := unknown_places(text):
        known = ", ".join(f"{{{name}}}" for name in PLACES)
        raise forms.ValidationError(f"{{{unknown[0]}}} cannot be filled in. There are {known}.")


def _one_line(text: str) -> None:
    if len(text.splitlines()) > 1:
        raise forms.ValidationError("The subject is one line.")


class MailForm(forms.Form):
    subject = forms.CharField(max_length=SUBJECT_LENGTH, validators=[_one_line, _known_places])
    text = forms.CharField(
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 12}),
        validators=[_known_places],
        help_text=HELP,
    )
    reason = ReasonField("For colleagues: kept in the audit log.", rows=2)


def register() -> None:
    """Offer the bulk mail. It has no way back."""
    job_kinds.register(
        JobKind(key=MAIL, label="Send mail", permission=PERMISSION, do=mail_many, words=_words, at_once=500)
    )
    offer_bulk(
        BulkAction(
            key=MAIL,
            label="Send mail",
            permission=PERMISSION,
            form=MailForm,
            params=lambda given: {"subject": given["subject"], "text": given["text"]},
            effect=_effect,
            refusals=[
                Refusal("who are banned", Q(status=Status.BANNED)),
                Refusal("without an address", Q(email="")),
            ],
            help_text="A plain text, one mail for each customer. What is sent cannot be taken back.",
            order=20,
        )
    )


def _effect(customers: QuerySet[Customer], count: int, params: Mapping[str, Any]) -> Sequence[Change]:
    changes = []
    if first := customers.select_related("figures").order_by("pk").first():
        mail = mail_for(first, params["subject"], params["text"])
        changes = [
            Change.told("The first goes to", mail.recipient),
            Change.told("Its subject", _preview(mail.subject)),
            Change.told("Its text", _preview(mail.body)),
        ]
    if "Mail" in selectors.unconfigured_channels():
        changes.append(Change.told("Delivery", "none: mail is not configured, they are only kept"))
    return [*changes, Change.told("Undo", "not possible once they are sent")]


def _preview(text: str) -> Any:
    return format_html('<span class="mail-preview">{}</span>', text)


def _words(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [("Subject", params["subject"]), ("Text", params["text"])]
