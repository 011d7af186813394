"""Which customer of ours a customer of Stripe's is, and what waited to know it."""

from collections.abc import Set
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.db.models.fields.json import KT

from accounts import selectors as accounts
from accounts import services
from backoffice.lib import clock
from billing.models import EventState, StripeEvent
from billing.models.events import UNSETTLED, WANTING

UNSETTLED_OR_PARKED = Q(state__in=[*UNSETTLED, EventState.PARKED])


@transaction.atomic
def link_customer(*, user_id: int, stripe_customer_id: str) -> bool:
    """Remember whose a customer of Stripe's is, and have the events tried again that wanted to know; whether it is new.

    A customer who is known under another id keeps it, and somebody else's id stays theirs.
    """
    if accounts.customer_by_stripe_id(stripe_customer_id):
        return False
    services.link_stripe_customer(user_id=user_id, stripe_customer_id=stripe_customer_id)
    known = accounts.customer_by_stripe_id(stripe_customer_id)
    if known is None or known.pk != user_id:
        return False
    wake_events_of(stripe_customer_id)
    return True


def wake_events_of(stripe_customer_id: str) -> None:
    """Have the events about a customer of Stripe's tried again that are parked or wait."""
    about = StripeEvent.objects.alias(customer=KT("payload__data__object__customer"))
    # Those that another worker looks at this moment are left out: two who wake each other's would wait for each other.
    free = about.filter(WANTING, customer=stripe_customer_id).select_for_update(skip_locked=True, no_key=True)
    woken = set(free.values_list("pk", flat=True))
    _make_due(woken)
    busy = about.filter(UNSETTLED_OR_PARKED, customer=stripe_customer_id).exclude(pk__in=woken)
    for event_id in busy.order_by("pk").values_list("pk", flat=True):
        # Once the link is told to all, and with nothing else locked.
        transaction.on_commit(partial(_make_due, {event_id}))


def _make_due(event_ids: Set[int]) -> None:
    events = StripeEvent.objects.filter(WANTING, pk__in=event_ids)
    events.update(state=EventState.RECEIVED, next_attempt_at=clock.now(), processed_at=None)
