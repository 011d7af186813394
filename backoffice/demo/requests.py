"""Requests above somebody's limit, as the story leaves them: one allowed, one denied, one that waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from accounts.models import Customer, StaffMember, Status
from backoffice.demo.acts import Colleague
from backoffice.demo.office import BILLING, SUPPORT, SUPPORT_TOO
from backoffice.lib import clock
from credits import approving
from credits.limits import Limit
from jobs import services


@dataclass(frozen=True, kw_only=True)
class Request:
    """Somebody asks for a gift, ``hours`` before the story ends; ``is_allowed`` is None while nobody has decided."""

    hours: int
    credits: int
    reason: str
    colleague: Colleague
    is_allowed: bool | None = None
    word: str = ""


REQUESTS = (
    Request(
        hours=50,
        credits=250,
        reason="A film of forty scenes was lost by our storage on its last day",
        colleague=SUPPORT_TOO,
        is_allowed=True,
        word="Fair. I told the storage people",
    ),
    Request(
        hours=27,
        credits=5_000,
        reason="Promised by sales for the whole agency",
        colleague=SUPPORT,
        is_allowed=False,
        word="Sales books its promises as an order: ask them to",
    ),
    Request(
        hours=2,
        credits=400,
        reason="Three nights of failed upscaling before a premiere",
        colleague=SUPPORT,
    ),
)
DECIDED_AFTER = timedelta(minutes=40)


def ask_and_decide(staff: Mapping[str, StaffMember]) -> None:
    """Play them for the customers who came first. ``staff`` is keyed by address; the clock stands at the end."""
    end = clock.now()
    customers = Customer.objects.filter(status=Status.ACTIVE, demo_mode=False).order_by("pk")
    for number, (request, customer) in enumerate(zip(REQUESTS, customers[: len(REQUESTS)], strict=False)):
        at = end - timedelta(hours=request.hours)
        with clock.at(at):
            approval = services.request_approval(
                verb=Limit.GIFT,
                params=approving.addition(customer.pk, Decimal(request.credits), None),
                amount=Decimal(request.credits),
                resource=("accounts.user", str(customer.pk)),
                actor=staff[request.colleague.email],
                reason=request.reason,
                token=f"demo:request:{number}",
            )
        if request.is_allowed is None:
            continue
        decide = services.approve if request.is_allowed else services.deny
        with clock.at(at + DECIDED_AFTER):
            decide(approval_id=approval.pk, actor=staff[BILLING.email], reason=request.word)
