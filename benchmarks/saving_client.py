"""Saves of one record, each in a transaction of its own: bare, with the stock log, with ours.

Runs in a client process.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median

from django.contrib.admin import ModelAdmin, site
from django.db import transaction
from django.http import HttpRequest

from accounts.models import StaffMember
from audit.context import RequestContext, serving
from audit.models import AuditEntry
from audit.selectors import first_chain_fault
from billing.models import CreditPack

OURS = site.get_model_admin(CreditPack)
STOCK_MESSAGE = [{"changed": {"fields": ["Position"]}}]
# As the middleware tells of a request.
ORIGIN = RequestContext(ip="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64)", request_id="0" * 32)
MOST_POSITIONS = 30_000


def _bare(request: HttpRequest, pack: CreditPack) -> None:
    """Nothing beside the save."""


def _stock(request: HttpRequest, pack: CreditPack) -> None:
    ModelAdmin.log_change(OURS, request, pack, STOCK_MESSAGE)


def _ours(request: HttpRequest, pack: CreditPack) -> None:
    OURS.log_change(request, pack, ({"position": pack.position - 1}, {"position": pack.position}))


LOGS: dict[str, Callable[[HttpRequest, CreditPack], None]] = {"bare": _bare, "stock": _stock, "ours": _ours}


def saves(number: int) -> dict[str, float]:
    """Microseconds of the median save of ``number`` with each log, one with each in turn, from begin to commit."""
    request, pack = _request(), _pack()
    kinds = list(LOGS)
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    with serving(ORIGIN):
        for turn in range(number):
            for place in range(len(kinds)):
                kind = kinds[(turn + place) % len(kinds)]
                pack.position = (pack.position + 1) % MOST_POSITIONS
                taken[kind].append(_save(request, pack, LOGS[kind]))
    return {kind: median(times) for kind, times in taken.items()}


def _save(request: HttpRequest, pack: CreditPack, log: Callable[[HttpRequest, CreditPack], None]) -> float:
    started = time.perf_counter()
    # As the stock view of a form does it.
    with transaction.atomic():
        OURS.save_model(request, pack, None, True)
        log(request, pack)
    return (time.perf_counter() - started) * 1e6


def _request() -> HttpRequest:
    request = HttpRequest()
    request.user, _ = StaffMember.objects.get_or_create(
        email="keeper@example.com", defaults={"is_staff": True, "password": "!"}
    )
    return request


def _pack() -> CreditPack:
    pack, _ = CreditPack.objects.get_or_create(
        name="Small", defaults={"credits": Decimal(100), "price_minor": 1000, "currency": "USD"}
    )
    return pack


def proof() -> dict[str, str | int]:
    """How many entries there are, and what is wrong with their chain."""
    return {"entries": AuditEntry.objects.count(), "fault": str(first_chain_fault([]) or "")}


COMMANDS = {"saves": saves, "proof": proof}
