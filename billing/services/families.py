"""Families of events: those that tell of one payment, invoice or subscription, and so have to do with each other."""

from collections.abc import Set

from django.db import connection
from django.db.models import Q, QuerySet

from billing.models import StripeEvent

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def families_of(event: StripeEvent) -> set[str]:
    """The ids of the payment, the invoice and the subscription that an event names; empty if it names none."""
    return {event.payment_intent_id, event.invoice_id, event.subscription_id} - {""}


def lock_families(ids: Set[str]) -> None:
    """Let nobody else work on these families of Stripe's ids until the transaction ends."""
    # In one order for everybody, so that two who share some of them wait for each other and never both.
    with connection.cursor() as cursor:
        for family in sorted(ids):
            cursor.execute(LOCK, [f"stripe:{family}"])


def locked_event(event_id: int) -> StripeEvent:
    """The event, with its families, until the transaction ends. Raises StripeEvent.DoesNotExist."""
    event = StripeEvent.objects.defer("body", "payload").get(pk=event_id)
    lock_families(families_of(event) or {event.stripe_id})
    return StripeEvent.objects.select_for_update(no_key=True).get(pk=event_id)


def members_of(families: Set[str]) -> QuerySet[StripeEvent]:
    """The events of any of these families."""
    if not families:
        return StripeEvent.objects.none()
    ids = sorted(families)
    return StripeEvent.objects.filter(Q(payment_intent_id__in=ids) | Q(invoice_id__in=ids) | Q(subscription_id__in=ids))
