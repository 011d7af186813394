"""Reads of the inbox."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from accounts.models import Customer
from backoffice.lib.loose_scan import values_of
from billing.models import Invoice, Payment, StripeEvent, Subscription
from billing.models.events import NEEDS_ATTENTION, WANTING

BADGE_LIMIT = 100
# More events of one object within one second than Stripe makes.
NEWEST = 50
# More than Stripe has.
MOST_TYPES = 500


def inbox() -> QuerySet[StripeEvent]:
    """All events, their contents left where they are until asked for."""
    return StripeEvent.objects.defer("body", "payload")


def search_events(events: QuerySet[StripeEvent], text: str) -> QuerySet[StripeEvent]:
    """The event of exactly this id, and those that tell of the object, the payment, invoice or subscription of it."""
    term = text.replace("\x00", "").strip()
    if not term:
        return events
    return events.filter(
        Q(stripe_id=term) | Q(object_id=term) | Q(payment_intent_id=term) | Q(invoice_id=term) | Q(subscription_id=term)
    )


def types_of_events() -> list[str]:
    """The types that ever came, in order."""
    return values_of(StripeEvent, "type", limit=MOST_TYPES)


def events_needing_attention() -> int:
    """How many events are parked or failed, counted up to BADGE_LIMIT."""
    return StripeEvent.objects.filter(state__in=NEEDS_ATTENTION)[:BADGE_LIMIT].count()


def events_of_payment(payment_intent_id: str, *, types: Iterable[str], livemode: bool) -> list[StripeEvent]:
    """The stored events of these types that tell of one payment, in the order of Stripe's time."""
    events = StripeEvent.objects.filter(
        payment_intent_id=payment_intent_id, type__in=list(types), livemode=livemode, payload__isnull=False
    )
    return sorted(events.defer("body"), key=lambda event: (event.stripe_created or event.received_at, event.pk))


def events_of_invoice(invoice_id: str, *, types: Iterable[str], livemode: bool) -> list[StripeEvent]:
    """The stored events of these types that tell of one invoice, in the order of Stripe's time."""
    events = StripeEvent.objects.filter(
        invoice_id=invoice_id, type__in=list(types), livemode=livemode, payload__isnull=False
    )
    return sorted(events.defer("body"), key=lambda event: (event.stripe_created or event.received_at, event.pk))


def newest_events_of(object_id: str, *, types: Iterable[str], livemode: bool) -> list[StripeEvent]:
    """The stored events of these types that tell of one object, the last first: some of them, with all of the last
    second."""
    events = StripeEvent.objects.filter(
        object_id=object_id,
        type__in=list(types),
        livemode=livemode,
        payload__isnull=False,
        stripe_created__isnull=False,
    )
    return list(events.defer("body").order_by("-stripe_created", "-pk")[:NEWEST])


def last_events_of(object_ids: Sequence[str]) -> dict[str, str]:
    """The id of Stripe's last event on each of these objects, of those that are known."""
    events = StripeEvent.objects.filter(object_id__in=object_ids, stripe_created__isnull=False).exclude(object_id="")
    last = events.order_by("object_id", "-stripe_created", "-pk").distinct("object_id")
    return dict(last.values_list("object_id", "stripe_id"))


def forgotten_among(ids: Iterable[str]) -> set[str]:
    """Those of these ids of objects, customers and payments whose events were emptied for a person.

    What was emptied for its age alone has left its hash.
    """
    wanted = [named for named in ids if named]
    emptied = StripeEvent.objects.filter(body=b"", body_sha256="")
    objects = emptied.filter(object_id__in=wanted).values_list("object_id", flat=True)
    payments = emptied.filter(payment_intent_id__in=wanted).values_list("payment_intent_id", flat=True)
    return {*objects, *payments}


def held_up_among(event_ids: Sequence[int]) -> int:
    """How many of these events somebody has to look at."""
    return StripeEvent.objects.filter(pk__in=event_ids, state__in=NEEDS_ATTENTION).count()


def waits_for_customer(stripe_customer_id: str, *, beside: StripeEvent) -> bool:
    """Whether another event about what this customer of Stripe's has or pays is parked or waits."""
    about = StripeEvent.objects.alias(customer=KT("payload__data__object__customer"))
    return about.filter(WANTING, customer=stripe_customer_id).exclude(pk=beside.pk).exists()


def all_events_of_invoice(invoice_id: str) -> QuerySet[StripeEvent]:
    """Every event that tells of one invoice, the last that came first."""
    return inbox().filter(invoice_id=invoice_id).order_by("-received_at", "-pk")


def all_events_of_subscription(subscription_id: str) -> QuerySet[StripeEvent]:
    """Every event that tells of one subscription, the last that came first."""
    return inbox().filter(subscription_id=subscription_id).order_by("-received_at", "-pk")


def all_events_of_payment(payment_intent_id: str) -> QuerySet[StripeEvent]:
    """Every event that tells of one payment, the last that came first."""
    return inbox().filter(payment_intent_id=payment_intent_id).order_by("-received_at", "-pk")


def all_events_of_object(object_id: str) -> QuerySet[StripeEvent]:
    """Every event that tells of one object by this id of Stripe's, the last that came first; none for no id."""
    # No empty id, which the index leaves out.
    return inbox().filter(Q(object_id=object_id) & ~Q(object_id="")).order_by("-received_at", "-pk")


def events_about(user_ids: Sequence[int], *, stripe_customer_id: str | None) -> QuerySet[StripeEvent]:
    """The events that tell of these customers' payments, invoices and subscriptions, or of the customer whom Stripe
    knows under this id or, of them alone, under another."""
    # The ids first: beside the other ways, a subquery would have all events read. And no empty ids, which the indexes
    # leave out.
    payments = list(Payment.objects.filter(user_id__in=user_ids).values_list("stripe_payment_id", flat=True))
    invoices = list(Invoice.objects.filter(user_id__in=user_ids).values_list("stripe_invoice_id", flat=True))
    subscriptions = Subscription.objects.filter(user_id__in=user_ids)
    about = Q(payment_intent_id__in=payments) & ~Q(payment_intent_id="")
    about |= Q(invoice_id__in=invoices) & ~Q(invoice_id="")
    about |= Q(subscription_id__in=list(subscriptions.values_list("stripe_subscription_id", flat=True))) & ~Q(
        subscription_id=""
    )
    customers = _further_customers(user_ids) | ({stripe_customer_id} if stripe_customer_id else set())
    if customers:
        about |= (Q(object_id__in=customers) & ~Q(object_id="")) | Q(customer__in=customers)
    return StripeEvent.objects.alias(customer=KT("payload__data__object__customer")).filter(about)


def _further_customers(user_ids: Sequence[int]) -> set[str]:
    """Stripe's customers who have subscriptions of these persons and of nobody else, and are linked to nobody else."""
    has = Subscription.objects.exclude(stripe_customer_id="")
    named = set(has.filter(user_id__in=user_ids).values_list("stripe_customer_id", flat=True))
    shared = has.filter(stripe_customer_id__in=named).exclude(user_id__in=user_ids)
    linked = Customer.objects.filter(stripe_customer_id__in=named).exclude(pk__in=user_ids)
    return named.difference(
        shared.values_list("stripe_customer_id", flat=True), linked.values_list("stripe_customer_id", flat=True)
    )
