"""Gifts to many customers at once, from their list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import Customer
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change
from backoffice.lib.money import plain_credits
from backoffice.lib.registry import EntryLink, entry_links
from backoffice.lib.work import BulkAction, JobKind, Refusal, job_kinds
from credits import selectors
from credits.admin.gift import GiftForm
from credits.errors import CreditError
from credits.models import CreditTransaction
from credits.services.bulk_gifts import gift_many, job_of, reference_of, take_back_many
from jobs.admin.bulk import offer_bulk
from jobs.selectors import SEE_ALL

GIFT, TAKE_BACK = "credits.gift_many", "credits.take_back_gifts"
GIVE = "credits.gift_credits"
# One transaction: large enough to be quick, short enough not to keep the customers' own charges waiting.
AT_ONCE = 250


def register() -> None:
    """Offer the bulk gift, and the way back."""
    kinds = [
        JobKind(
            key=GIFT,
            label="Gift credits",
            permission=GIVE,
            do=gift_many,
            undo=TAKE_BACK,
            undo_effect=_undo_effect,
            words=_words,
            trace=_entries,
            refusals=(CreditError,),
            at_once=AT_ONCE,
        ),
        JobKind(
            key=TAKE_BACK,
            label="Take gifts back",
            # Whoever gave may take back what is left of it: never more, and never other credits.
            permission=GIVE,
            do=take_back_many,
            words=_words,
            trace=_entries,
            refusals=(CreditError,),
            at_once=AT_ONCE,
        ),
    ]
    for kind in kinds:
        job_kinds.register(kind)
    entry_links.register(EntryLink(key="job", label="Job", permission=SEE_ALL, find=_job, order=150))
    offer_bulk(
        BulkAction(
            key=GIFT,
            label="Gift credits",
            permission=GIVE,
            form=GiftForm,
            params=_params,
            effect=_effect,
            refusals=[
                Refusal("who were merged or anonymised", Q(retirement__isnull=False)),
                Refusal("demo customers, whose credits are not counted", Q(demo_mode=True)),
            ],
            help_text="Each customer is given this much, once. What is not spent can be taken back together.",
            limited_verb="credits.gift",
            amount_of=_amount,
            order=10,
        )
    )


def _params(cleaned_data: Mapping[str, Any]) -> dict[str, Any]:
    last_day: datetime | None = cleaned_data["last_day"]
    return {
        "amount": plain_credits(cleaned_data["amount"]),
        "expires_at": last_day.isoformat() if last_day else None,
    }


def _amount(params: Mapping[str, Any]) -> Decimal:
    return Decimal(params["amount"])


def _expiry(params: Mapping[str, Any]) -> Any:
    return display.expiry(datetime.fromisoformat(params["expires_at"]) if params["expires_at"] else None)


def _effect(customers: QuerySet[Customer], count: int, params: Mapping[str, Any]) -> Sequence[Change]:
    each = _amount(params)
    changes = [
        Change.told("Credits for each", display.change(each)),
        Change.told("Credits in total", display.credits(each * count)),
    ]
    if params["expires_at"]:
        changes.append(Change.told("The gift lapses", _expiry(params)))
    return changes


def _words(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [("Credits for each", display.credits(_amount(params))), ("The gift lapses", _expiry(params))]


def _entries(job_id: int) -> tuple[str, str]:
    address = reverse("admin:credits_credittransaction_changelist")
    return "Its ledger entries", f"{address}?{urlencode({'q': reference_of(job_id)})}"


def _job(entry: CreditTransaction) -> tuple[str, str] | None:
    """The job that booked an entry, if one did; the product may have jobs of its own, whose entries nobody booked."""
    job_id = job_of(entry.reference) if entry.actor_id else None
    return (reverse("admin:jobs_job_change", args=[job_id]), f"job {job_id}") if job_id else None


def _undo_effect(job_id: int) -> Sequence[Change]:
    given, left = selectors.given_by(reference_of(job_id))
    return [
        Change.told("Credits given", display.credits(given)),
        Change.told("Left of them, and taken back unless held", display.change(-left)),
    ]
