"""Acts on many customers at once that their list offers: shutting them out, and taking them along as a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from accounts.admin.status import BAN, ShutOutForm
from accounts.badges import status_badge
from accounts.errors import AccountError
from accounts.exports import USERS
from accounts.models import Customer, Status
from accounts.services.bulk_status import ban_many, undo_bans
from audit.exporting import JOB_PREFIX
from backoffice.lib import clock, csv
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from backoffice.lib.work import BulkAction, JobKind, Refusal, bulk_actions, job_kinds

BAN_MANY, UNDO_BANS = "accounts.ban_many", "accounts.undo_bans"


class ExportForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        label="What for",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the audit log beside who took the file.",
    )


def register() -> None:
    """Offer the acts, and the way back from a ban."""
    job_kinds.register(
        JobKind(
            key=BAN_MANY,
            label="Ban customers",
            permission=BAN,
            do=ban_many,
            undo=UNDO_BANS,
            words=_words,
            refusals=(AccountError,),
        )
    )
    job_kinds.register(
        JobKind(
            key=UNDO_BANS,
            label="Undo bans",
            permission=BAN,
            do=undo_bans,
            words=lambda params: [],
            refusals=(AccountError,),
        )
    )
    bulk_actions.register(
        BulkAction(
            key=BAN_MANY,
            label="Ban",
            permission=BAN,
            form=ShutOutForm,
            params=lambda given: {"until": given["until"].isoformat() if given["until"] else None},
            effect=_effect,
            refusals=[Refusal("who are banned already, and stay so as they are", Q(status=Status.BANNED))],
            help_text="Their charges are refused at once, and the product is told of each. It can be undone together.",
            is_dangerous=True,
            order=40,
        )
    )
    bulk_actions.register(
        BulkAction(
            key=f"{JOB_PREFIX}{USERS.key}",
            label="Export CSV",
            permission=USERS.permission,
            form=ExportForm,
            params=lambda given: {},
            effect=_file,
            help_text="The file has the columns of the list's own export, for those who were chosen.",
            order=30,
        )
    )


def _until(params: Mapping[str, Any]) -> Any:
    return display.expiry(datetime.fromisoformat(params["until"])) if params["until"] else "until lifted"


def _words(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [("Until", _until(params))]


def _effect(customers: QuerySet[Customer], count: int, params: Mapping[str, Any]) -> Sequence[Change]:
    return [
        Change.told("Status", status_badge(Status.BANNED)),
        Change.told("Until", _until(params)),
        Change("Charges", "as their status says", "refused (user_banned)"),
        Change.told("Balances", "kept"),
        Change.told("The product", "is told of each"),
    ]


def _file(customers: QuerySet[Customer], count: int, params: Mapping[str, Any]) -> Sequence[Change]:
    columns = ", ".join(column.header for column in USERS.columns())
    return [
        Change.told("File", csv.file_name(USERS.key, clock.now())),
        Change.told("Rows", display.number(count)),
        Change.told("Columns", columns),
    ]
