"""Kinds of work for tests, offered for as long as a test lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import User
from backoffice.lib.admin.confirm import Change
from backoffice.lib.work import (
    ApprovableVerb,
    BulkAction,
    ItemOutcome,
    JobKind,
    LimitedVerb,
    Refusal,
    Registry,
    approvable_verbs,
    bulk_actions,
)
from jobs.admin.bulk import offer_bulk
from tests.factories import CustomerFactory

PERMISSION = "accounts.change_customer"


class Refused(Exception):
    """What a kind of work refuses."""


@contextmanager
def offered(registry: Registry[Any], entry: Any) -> Iterator[Any]:
    registry.register(entry)
    try:
        yield entry
    finally:
        del registry._entries[entry.key]


@contextmanager
def offered_bulk(action: BulkAction) -> Iterator[BulkAction]:
    """A bulk act with the verb by which a second person allows it."""
    offer_bulk(action)
    try:
        yield action
    finally:
        del bulk_actions._entries[action.key]
        approvable_verbs._entries.pop(action.key, None)


def naming(**changes: Any) -> JobKind:
    """Gives each customer the name that the job says; refuses who is called Stubborn."""

    def do(job, targets):
        outcomes = []
        for user in User.objects.filter(pk__in=targets).order_by("pk"):
            if user.full_name == "Stubborn":
                outcomes.append(ItemOutcome(user.pk, is_done=False, note="is stubborn"))
                continue
            user.full_name = f"{job.params['name']}"
            user.save(update_fields=["full_name"])
            outcomes.append(ItemOutcome(user.pk))
        return outcomes

    return JobKind(**{"key": "test.name", "label": "Name", "permission": PERMISSION, "do": do, "at_once": 3, **changes})


def giving(run: Any, **changes: Any) -> ApprovableVerb:
    """An act that a second person may have to allow."""
    values = {
        "key": "test.give",
        "label": "Give",
        "permission": PERMISSION,
        "unit": "credits",
        "effect": lambda params: [],
        "run": run,
        "url": lambda params: "/admin/",
        "refusals": (Refused,),
    }
    return ApprovableVerb(**values | changes)


class NameForm(forms.Form):
    name = forms.CharField(max_length=20)
    reason = forms.CharField(max_length=100)


def naming_many(**changes: Any) -> BulkAction:
    """Naming, as an act on many: who is called Stubborn is left out, and each one counts for ten."""
    values = {
        "key": "test.name",
        "label": "Rename",
        "permission": PERMISSION,
        "form": NameForm,
        "params": lambda given: {"name": given["name"]},
        "effect": lambda customers, count, params: [Change("Name", "", params["name"]), Change("Times", "", count)],
        "refusals": [
            Refusal("called Stubborn", Q(full_name="Stubborn")),
            Refusal("who are banned", Q(status="banned")),
        ],
        "limited_verb": "test.give",
        "amount_of": lambda params: Decimal(10),
    }
    return BulkAction(**values | changes)


LIMITED = LimitedVerb(key="test.give", label="Give", unit="credits", format=lambda amount: f"{amount:.0f} credits")


def customers(count: int) -> list[int]:
    return [CustomerFactory().pk for _ in range(count)]


def credits(text: str) -> Decimal:
    return Decimal(text)
