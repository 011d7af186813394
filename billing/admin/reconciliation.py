"""The page of what does not add up between Stripe, our payments and the ledger, with a way to set each right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.views import View

from backoffice.lib.admin import display
from backoffice.lib.admin.navigation import set_current
from backoffice.lib.money import format_credits
from billing.admin import links
from billing.admin.replay import REPLAY
from billing.admin.told import what_was_paid
from billing.badges import state_badge, status_badge
from billing.handlers.stories import story_told_by
from billing.models import StripeEvent
from billing.selectors import reconciliation
from billing.selectors.reconciliation import LOOK_BACK, MOST
from billing.services.replay import REPLAYABLE
from credits.models import CreditTransaction

NAVIGATION = "billing-reconciliation"
SEE, RECONCILE = "billing.view_payment", "billing.reconcile"
SHOWN_WHY = 200


@dataclass(frozen=True)
class Fix:
    """A button: what it is called and where it leads."""

    label: str
    url: str
    name: str


@dataclass(frozen=True)
class Line:
    """A row of a list: when, about what, why it stands here, and what can be done."""

    at: Any
    what: Any
    detail: Any
    why: str
    state: Any
    fixes: Sequence[Fix]


@dataclass(frozen=True)
class Finding:
    """One of the four lists. ``more``: there are more than are shown."""

    key: str
    title: str
    about: str
    empty: str
    lines: Sequence[Line]
    more: bool


def may_reconcile(request: HttpRequest) -> bool:
    """Whether the reader may see the page and set right what is on it."""
    return request.user.has_perms([SEE, RECONCILE])


class ReconciliationView(View):
    """GET alone: each fix is a form of its own. Wrap it in ``site.admin_view``."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if not may_reconcile(request):
            raise PermissionDenied
        set_current(request, NAVIGATION)
        context = {
            **admin.site.each_context(request),
            "title": "Reconciliation",
            "findings": _findings(request),
            "most": MOST,
        }
        return TemplateResponse(request, "billing/reconciliation.html", context)


def _findings(request: HttpRequest) -> list[Finding]:
    may_replay = request.user.has_perm(REPLAY)
    days = LOOK_BACK.days
    return [
        _finding(
            "uncredited",
            "Paid, not credited",
            "Stripe says that these payments came in, and none of the events that say so could be applied.",
            "Every payment that Stripe told of is booked.",
            [_uncredited(each, may_replay) for each in reconciliation.paid_not_credited(limit=MOST + 1)],
        ),
        _finding(
            "unpaid",
            "Credited, not paid",
            f"Purchases of the last {days} days in the ledger that no payment stands behind.",
            f"Behind every purchase of the last {days} days stands a payment.",
            [_unpaid(entry) for entry in reconciliation.credited_not_paid(limit=MOST + 1)],
        ),
        _finding(
            "unbalanced",
            "Credits that do not fit what went back",
            f"Payments refunded or disputed in the last {days} days, with more or fewer credits taken back than that "
            "takes.",
            f"What was refunded or disputed in the last {days} days has taken just the credits that it takes.",
            [_unbalanced(each) for each in reconciliation.out_of_balance(limit=MOST + 1)],
        ),
        _finding(
            "waiting",
            "Other events that wait for somebody",
            "Parked, failed, or not applied within an hour, and not about a payment that is still to be booked.",
            "No other event waits.",
            [_waiting(event, may_replay) for event in reconciliation.other_waiting_events(limit=MOST + 1)],
        ),
    ]


def _finding(key: str, title: str, about: str, empty: str, lines: Sequence[Line]) -> Finding:
    return Finding(key, title, about, empty, lines[:MOST], more=len(lines) > MOST)


def _uncredited(found: reconciliation.Uncredited, may_replay: bool) -> Line:
    event = found.events[0]
    names_somebody = next((each for each in found.events if each.stripe_customer), None)  # type: ignore[attr-defined]
    fixes = [
        *_replay(event, may_replay),
        Fix("Assign", reverse("billing-assign", args=[event.pk]), found.payment_intent_id),
        *(
            [Fix("Link", reverse("billing-link", args=[names_somebody.pk]), found.payment_intent_id)]
            if names_somebody
            else []
        ),
        Fix("Leave", reverse("billing-settle-event", args=[event.pk]), found.payment_intent_id),
    ]
    more = f"{len(found.events)} events" if len(found.events) > 1 else ""
    return Line(
        event.received_at,
        links.to_stripe("payments", found.payment_intent_id, livemode=event.livemode),
        format_html("{}, {}", what_was_paid(story_told_by(found.events)), more or links.to_event(event)),
        _why(event),
        state_badge(event.state),
        fixes,
    )


def _unpaid(entry: CreditTransaction) -> Line:
    left = entry.left  # type: ignore[attr-defined]
    return Line(
        entry.created_at,
        links.to_entry(entry.pk),
        links.to_customer(entry.account.user),
        f"{format_credits(left)} credits were bought by nothing that we know of ({entry.reference or 'no reference'}).",
        display.badge("No payment", "bad"),
        [Fix("Take back", reverse("billing-take-back", args=[entry.pk]), f"entry {entry.pk}")],
    )


def _unbalanced(found: reconciliation.Imbalance) -> Line:
    payment = found.payment
    return Line(
        payment.updated_at,
        links.to_payment(payment),
        links.to_customer(payment.user),
        f"{format_credits(found.taken)} credits are taken back, and it should be {format_credits(found.wanted)}.",
        status_badge(payment.status),
        [Fix("Settle", reverse("billing-settle", args=[payment.pk]), payment.stripe_payment_id)],
    )


def _waiting(event: StripeEvent, may_replay: bool) -> Line:
    settle = Fix("Leave", reverse("billing-settle-event", args=[event.pk]), event.stripe_id)
    return Line(
        event.received_at,
        links.to_event(event),
        event.object_id or event.stripe_id,
        _why(event),
        state_badge(event.state),
        [*_replay(event, may_replay), settle],
    )


def _replay(event: StripeEvent, may_replay: bool) -> list[Fix]:
    if not may_replay or event.state not in REPLAYABLE:
        return []
    return [Fix("Replay", reverse("admin:billing_stripeevent_replay", args=[event.pk]), event.stripe_id)]


def _why(event: StripeEvent) -> str:
    why = event.error or "No worker has applied it yet: look whether the workers run."
    return why if len(why) <= SHOWN_WHY else f"{why[:SHOWN_WHY]}…"
