"""A client that looks at the customers list, and at customers, of a company. Runs in a client process."""

import random
from collections.abc import Callable
from functools import cache
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from accounts.models import Customer
from backoffice.lib.admin.keyset import AFTER_VAR, Keyset
from benchmarks import visits
from benchmarks.company_rows import SYLLABLES

LIST = "/admin/accounts/customer/"
DEEP = 0.9
PICKED = 200
SORTS = ("credits", "generations", "spend", "joined", "last_active")
GIVEN_NAME, FAMILY_NAME = 0, -1

Make = Callable[[random.Random], dict[str, str]]


def kinds() -> list[str]:
    """What ``looks`` knows, in the order of the report."""
    return list(_kinds())


def looks(kind: str, number: int, seed: int) -> list[float]:
    """Milliseconds of each of ``number`` looks at the list."""
    rng = random.Random(seed)
    return visits.times(_client(), [f"{LIST}?{urlencode(_kinds()[kind](rng))}" for _ in range(number)])


def customer(user_id: int, number: int) -> list[float]:
    """Milliseconds of each of ``number`` looks at the page of one customer."""
    return visits.times(_client(), [reverse("admin:accounts_customer_change", args=[user_id])] * number)


@cache
def _client() -> Client:
    return visits.visitor()


@cache
def _kinds() -> dict[str, Make]:
    return {
        "first page": _fixed(all=""),
        "90% deep": _deep("joined", "figures__joined", "figures__user"),
        "90% deep by spend": _deep("spend", "figures__spend_minor", "figures__user"),
        **{f"sorted by {name.replace('_', ' ')}": _fixed(o=f"-{name}") for name in SORTS},
        **{f"sorted by {name.replace('_', ' ')}, lowest first": _fixed(o=name) for name in SORTS},
        "filter: plan": _any("plan", ["free", "starter", "pro", "studio"]),
        "filter: credit band": _any("credits", ["low", "medium", "high"]),
        "filter: status": _any("status", ["active", "suspended", "banned"]),
        "filter: joined": _fixed(figures__joined_from=_day(0.5), figures__joined_to=_day(0.6)),
        "filter: source": _any("source", ["google", "direct", "newsletter"]),
        "filter: country": _any("country", ["US", "DE", "JP", "SG"]),
        "filter and sort: plan, by spend": _any("plan", ["starter", "pro", "studio"], o="-spend"),
        "search: exact email": lambda rng: {"q": _person(rng)[0]},
        "search: exact id": lambda rng: {"q": _person(rng)[1]},
        "search: rare word": lambda rng: {"q": "".join(rng.choices(SYLLABLES, k=3))},
        "search: given name": lambda rng: {"q": _name(rng, GIVEN_NAME)},
        "search: gma": _fixed(q="gma"),
        "search: gma, by spend": _fixed(q="gma", o="-spend"),
        "search: two words": lambda rng: {"q": f"{_name(rng, GIVEN_NAME)} {_name(rng, FAMILY_NAME)}"},
        "search: a common and a rare word": lambda rng: {"q": f"gmail {''.join(rng.choices(SYLLABLES, k=3))}"},
        "search: no match": lambda rng: {"q": f"qq{rng.randrange(10**6)}xq"},
        "search and filter: given name, plan": lambda rng: {"q": _name(rng, GIVEN_NAME), "plan": "pro"},
    }


def _fixed(**parameters: str) -> Make:
    return lambda rng: parameters


def _any(name: str, values: list[str], **more: str) -> Make:
    return lambda rng: {name: rng.choice(values), **more}


def _deep(name: str, column: str, tiebreak: str) -> Make:
    """Pages that begin with a cursor near 90% of the way through the list."""
    keyset = Keyset(model=Customer, column=column, tiebreak=tiebreak, descending=True)
    rows = keyset.rows(Customer.objects.all(), cursor=None, backward=False)
    start = int(Customer.objects.count() * DEEP)
    # Unmeasured: to skip so many rows is what a cursor is there to spare.
    cursors = [keyset.cursor_of(row) for row in rows[start : start + PICKED]]
    return lambda rng: {"o": f"-{name}", AFTER_VAR: rng.choice(cursors)}


@cache
def _people() -> list[tuple[str, str, str]]:
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True)[0]
    chosen = random.Random(1).choices(range(1, last), k=PICKED)
    found = Customer.objects.filter(pk__in=chosen).order_by("pk").values_list("email", "external_id", "full_name")
    return [(email, external_id or "", name) for email, external_id, name in found]


def _person(rng: random.Random) -> tuple[str, str, str]:
    return rng.choice(_people())


def _name(rng: random.Random, which: int) -> str:
    return _person(rng)[2].split()[which]


def _day(share: float) -> str:
    """The day by which this share of the company's time had passed."""
    oldest = Customer.objects.order_by("figures__joined").values_list("date_joined", flat=True)[0]
    newest = Customer.objects.order_by("-figures__joined").values_list("date_joined", flat=True)[0]
    return str((oldest + (newest - oldest) * share).date())


COMMANDS = {"kinds": kinds, "looks": looks, "customer": customer}
