"""Kinds of work for tests, offered for as long as a test lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from accounts.models import User
from backoffice.lib.work import ApprovableVerb, ItemOutcome, JobKind, LimitedVerb, Registry
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


LIMITED = LimitedVerb(key="test.give", label="Give", unit="credits", format=lambda amount: f"{amount:.0f} credits")


def customers(count: int) -> list[int]:
    return [CustomerFactory().pk for _ in range(count)]


def credits(text: str) -> Decimal:
    return Decimal(text)
