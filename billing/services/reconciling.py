"""Setting right by hand what events could not: each act once, with a reason, audited, and shown before it is done."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import services as accounts
from accounts.errors import CustomerRetired
from accounts.models import Customer, User
from accounts.selectors import customer_by_stripe_id, retirement_of
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.money import plain_credits
from backoffice.lib.nudge import nudge
from billing import selectors
from billing.errors import NotReconcilable, Parked, ReasonMissing
from billing.handlers.payments import details_of
from billing.handlers.stories import story_of, subject_of
from billing.models import EventState, Payment, ReconciliationCount, StripeEvent
from billing.models.events import NEEDS_ATTENTION, UNSETTLED
from billing.models.statuses import PAID
from billing.payloads import id_at
from billing.selectors import reconciliation
from billing.selectors.reconciliation import MONEY_TYPES
from billing.services.families import families_of, locked_event, members_of
from billing.services.payments import Purchase, book_payment
from billing.services.replay import PROCESS_EVENT, replay_event
from billing.services.settling import lock_payment, settle
from credits.acts import Clawback
from credits.kinds import TransactionKind
from credits.limits import Limit
from credits.postings import PostResult
from credits.selectors import ledger
from credits.services.evidence import post_as_staff
from jobs.services import count_use, lock_staff

ERROR_LENGTH = 1000


@transaction.atomic
def settle_by_hand(*, event_id: int, actor: User, reason: str) -> StripeEvent:
    """Bring an event to rest that somebody has dealt with elsewhere, with those that say the same of its payment.

    A payment that is not booked is then booked by no later event either, until one of its events is replayed. Raises
    ReasonMissing, NotReconcilable, StripeEvent.DoesNotExist.
    """
    _check_reason(reason)
    event = locked_event(event_id)
    if event.state not in NEEDS_ATTENTION:
        raise NotReconcilable(f"This event is {event.get_state_display().lower()}: it waits for nobody.")
    old = {"state": event.state, "error": event.error}
    settled = [event, *_saying_the_same(event)]
    _put_to_rest(settled, f"Settled by hand: {reason}")
    StripeEvent.objects.filter(pk__in=[each.pk for each in settled]).update(settled_by_hand=True)
    _record_event(Action.STRIPE_EVENT_SETTLED, event, actor, reason, old)
    return event


@transaction.atomic
def settle_payment(*, payment_id: int, actor: User, reason: str) -> Payment:
    """Bring a payment and its credits in line with what went back of it; nothing happens to one that is.

    Raises ReasonMissing, the CreditError of a ledger that refuses it, Payment.DoesNotExist.
    """
    _check_reason(reason)
    payment = lock_payment(payment_id)
    before = _standing(payment)
    settle(payment)
    after = _standing(payment)
    if changed := [name for name in before if before[name] != after[name]]:
        audit.record(
            action=Action.PAYMENT_SETTLED,
            actor=actor,
            resource=_resource(payment),
            old_values={name: before[name] for name in changed},
            new_values={"payment": payment.stripe_payment_id, **{name: after[name] for name in changed}},
            reason=reason,
        )
    return payment


def _standing(payment: Payment) -> dict[str, Any]:
    return {
        "status": payment.status,
        "refunded_minor": payment.refunded_minor,
        "disputed_minor": payment.disputed_minor,
        "taken_back": plain_credits(selectors.credits_taken(payment)),
    }


def link_and_replay(*, event_id: int, user_id: int, actor: User, reason: str) -> StripeEvent:
    """Enter Stripe's customer of an event on one of ours who has none, and process the event once more.

    Raises ReasonMissing, NotReconcilable, CustomerRetired, NotReplayable.
    """
    _check_reason(reason)
    with transaction.atomic():
        event = locked_event(event_id)
        stripe_customer_id = linkable_customer(event)
        customer = Customer.objects.select_for_update(no_key=True).get(pk=user_id)
        check_linkable(customer, stripe_customer_id)
        accounts.link_stripe_customer(user_id=user_id, stripe_customer_id=stripe_customer_id)
        if not Customer.objects.filter(pk=user_id, stripe_customer_id=stripe_customer_id).exists():
            raise NotReconcilable(f"{stripe_customer_id} was entered on somebody else meanwhile: replay the event.")
        audit.record(
            action=Action.STRIPE_CUSTOMER_LINKED,
            actor=actor,
            resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
            old_values={"stripe_customer_id": None},
            new_values={"stripe_customer_id": stripe_customer_id},
            reason=reason,
        )
    return replay_event(event_id=event_id, actor=actor, reason=reason)


def linkable_customer(event: StripeEvent) -> str:
    """Stripe's customer of an event. Raises NotReconcilable if it names none, or one whom we know."""
    stripe_customer_id = id_at(subject_of(event), "customer")
    if not stripe_customer_id:
        raise NotReconcilable("This event names no customer of Stripe's.")
    if known := customer_by_stripe_id(stripe_customer_id):
        raise NotReconcilable(f"{stripe_customer_id} is customer {known.pk} already: replay the event.")
    return stripe_customer_id


def check_linkable(customer: Customer, stripe_customer_id: str) -> None:
    """Raise NotReconcilable or CustomerRetired for one who cannot become Stripe's customer of this id."""
    if retirement_of(customer.pk) is not None:
        raise CustomerRetired
    if customer.stripe_customer_id:
        raise NotReconcilable(
            f"This customer is {customer.stripe_customer_id} in Stripe, and nobody is two. If the payment is theirs "
            "all the same, assign it to them."
        )


@transaction.atomic
def assign_payment(*, event_id: int, user_id: int, credits: Decimal, actor: User, reason: str) -> Payment:
    """Book the payment of a parked event for a customer whom a member of staff names, with so many credits.

    The credits count against the limit of adjustments. What else waits for the payment is processed by workers. Raises
    ReasonMissing, NotReconcilable, CustomerRetired, LimitExceeded, the CreditError of a ledger that refuses it.
    """
    _check_reason(reason)
    # Staff before the payment's family, as refunds have it.
    lock_staff(actor)
    event = locked_event(event_id)
    purchase = assignable(event, user_id=user_id, credits=credits)
    accounts.lock_customers([user_id])
    if retirement_of(user_id) is not None:
        raise CustomerRetired
    payment = book_payment(purchase=purchase)
    count_use(staff=actor, verb=Limit.ADJUST, amount=credits, key=f"admin:assign:{payment.stripe_payment_id}")
    booked = _saying_the_same(event)
    _put_to_rest(booked, f"Booked by hand for customer {user_id}: {reason}")
    _wake_others(event)
    audit.record(
        action=Action.PAYMENT_ASSIGNED,
        actor=actor,
        resource=_resource(payment),
        new_values={
            "payment": payment.stripe_payment_id,
            "credits": plain_credits(credits),
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "events": [each.stripe_id for each in booked],
        },
        reason=reason,
    )
    return payment


def assignable(event: StripeEvent, *, user_id: int, credits: Decimal) -> Purchase:
    """The purchase that an event tells of, for whom and what staff say. Raises NotReconcilable."""
    payment = selectors.payment_of_intent(event.payment_intent_id)
    if payment and payment.status in PAID:
        raise NotReconcilable(f"This payment is booked for customer {payment.user_id} already.")
    is_open = event.state in (*NEEDS_ATTENTION, *UNSETTLED)
    if not is_open or event.type not in MONEY_TYPES or not event.payment_intent_id:
        raise NotReconcilable("This event does not say that a payment came in which is still to be booked.")
    if event.payload is None:
        raise NotReconcilable("What this event said is not kept, so nothing tells what was paid. Gift the credits.")
    story = story_of(event)
    if not story.is_paid:
        raise NotReconcilable("No event says that this payment was paid. Resend its payment_intent.succeeded.")
    try:
        amount_minor, currency = story.amount
    except Parked as reason:
        raise NotReconcilable(str(reason)) from reason
    return Purchase(
        user_id=user_id,
        stripe_payment_id=event.payment_intent_id,
        amount_minor=amount_minor,
        currency=currency,
        credits=credits,
        details=details_of(story),
    )


@transaction.atomic
def take_back(*, transaction_id: int, amount: Decimal, actor: User, reason: str, idempotency_key: str) -> PostResult:
    """Take back credits of a purchase that nobody paid. They count against the limit of adjustments.

    Raises ReasonMissing, LimitExceeded, CreditError, NotReconcilable if it was paid after all.
    """
    _check_reason(reason)
    # Whoever books its payment locks the customer too: either it is paid when we look, or they find the credits gone.
    lock_staff(actor)
    accounts.lock_customers([ledger().values_list("account_id", flat=True).get(pk=transaction_id)])
    check_unpaid(transaction_id)
    return post_as_staff(
        Clawback(
            transaction_id=transaction_id,
            amount=amount,
            kind=TransactionKind.REVERSAL,
            idempotency_key=idempotency_key,
            description=reason,
            actor_id=actor.pk,
        ),
        action=Action.PURCHASE_TAKEN_BACK,
        limit=Limit.ADJUST,
        actor=actor,
        approved_by=None,
        reason=reason,
        reaches_retired=True,
    )


def check_unpaid(transaction_id: int) -> None:
    """Raise NotReconcilable for a purchase that was paid."""
    if Payment.objects.filter(transaction=transaction_id, status__in=PAID).exists():
        raise NotReconcilable("This purchase was paid: give the money back, and the credits follow.")


def count_mismatches() -> None:
    """Count anew what the sidebar says does not add up."""
    credited_not_paid, out_of_balance = reconciliation.count_mismatches()
    ReconciliationCount.objects.update_or_create(
        pk=1,
        defaults={
            "counted_at": clock.now(),
            "credited_not_paid": credited_not_paid,
            "out_of_balance": out_of_balance,
        },
    )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept in the audit log.")


def _saying_the_same(event: StripeEvent) -> list[StripeEvent]:
    """The events, this one included, that say that its payment came in and are not applied; none if it says else."""
    if event.type not in MONEY_TYPES or not event.payment_intent_id:
        return []
    told = members_of({event.payment_intent_id}).filter(type__in=MONEY_TYPES, state__in=[*NEEDS_ATTENTION, *UNSETTLED])
    return list(told.defer("body", "payload").select_for_update(no_key=True))


def _put_to_rest(events: list[StripeEvent], why: str) -> None:
    StripeEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        state=EventState.IGNORED, error=why[:ERROR_LENGTH], processed_at=clock.now(), next_attempt_at=None
    )


def _wake_others(event: StripeEvent) -> None:
    """Have workers process what was parked for want of the payment."""
    wanting = members_of(families_of(event)).filter(state=EventState.PARKED)
    ids = list(wanting.order_by("pk").values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=ids).update(
        state=EventState.RECEIVED, next_attempt_at=clock.now(), processed_at=None
    )
    for event_id in ids:
        nudge(PROCESS_EVENT, event_id)


def _resource(payment: Payment) -> audit.Resource:
    """Acts on payments are found with whose they are, as those on credits."""
    return audit.Resource("accounts.user", str(payment.user_id), f"user {payment.user_id}")


def _record_event(action: Action, event: StripeEvent, actor: User, reason: str, old: dict[str, str]) -> None:
    audit.record(
        action=action,
        actor=actor,
        resource=audit.Resource(StripeEvent._meta.label_lower, str(event.pk), event.stripe_id),
        old_values=old,
        new_values={"state": EventState.IGNORED},
        reason=reason,
    )
