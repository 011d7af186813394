"""A subscription as Stripe tells it, and each change of what it is worth a month."""

from accounts import selectors as people
from billing import selectors
from billing.errors import Ignored, Parked
from billing.handlers.owners import customer_expected, customer_of, wait_for
from billing.handlers.subscription_stories import Story, told_by
from billing.models import StripeEvent, Subscription
from billing.payloads import value_at
from billing.readings.discounts import read_discount
from billing.readings.subscriptions import SubscriptionTold
from billing.services.families import lock_families
from billing.services.linking import link_customer
from billing.services.subscriptions import tell_subscription
from billing.stripe_api import Answers

SUBSCRIPTION_TYPES = tuple(
    f"customer.subscription.{verb}"
    for verb in (
        "created",
        "updated",
        "deleted",
        "paused",
        "resumed",
        "trial_will_end",
        "pending_update_applied",
        "pending_update_expired",
    )
)
DISCOUNT_TYPES = ("customer.discount.created", "customer.discount.updated", "customer.discount.deleted")


def on_subscription(event: StripeEvent, answers: Answers) -> None:
    """Bring a subscription and its changes up to what its events tell. Raises NotApplied, AnswerNeeded."""
    told = told_by(event, value_at(event.payload, "data", "object"))
    if told is None or not event.stripe_created:
        raise Parked("The event does not say its subscription, the state of it or when. Look it up in Stripe.")
    # A discount of the customer counts for all their subscriptions: whoever works on one of them sees it, or is seen.
    # Taken after the family's and before any row; on_discount takes it alone.
    lock_families({told.stripe_customer_id} - {""})
    row = selectors.subscription_of(told.id)
    story = Story(event, answers, stripe_id=told.id, stripe_customer_id=told.stripe_customer_id, row=row)
    user_id = row.user_id if row else _holder(event, story, told)
    if row:
        _check_agreement(event, row, told)
    tell_subscription(user_id=user_id, stripe_customer_id=told.stripe_customer_id, steps=story.steps)
    if told.references and told.stripe_customer_id and not (row and row.user.stripe_customer_id):
        link_customer(user_id=user_id, stripe_customer_id=told.stripe_customer_id)


def on_discount(event: StripeEvent, answers: Answers) -> None:
    """Count a discount of a subscription, or of a customer for each of their subscriptions. Raises NotApplied."""
    discount = read_discount(value_at(event.payload, "data", "object"))
    if not event.stripe_created:
        raise Parked("The event does not say when it happened. Look it up in Stripe.")
    if discount.stripe_customer_id:
        # Not the families of the subscriptions: who works on one of those waits for this lock while holding that one.
        lock_families({discount.stripe_customer_id})
    if event.subscription_id:
        stripe_ids = [event.subscription_id]
    elif discount.stripe_customer_id:
        stripe_ids = selectors.open_subscriptions_of(discount.stripe_customer_id)
    else:
        raise Ignored("The discount is of no customer and of no subscription.")
    for stripe_id in stripe_ids:
        row = selectors.subscription_of(stripe_id)
        if row is None:
            _wait_for_subscription(event)
        else:
            story = Story(event, answers, stripe_id=stripe_id, stripe_customer_id=row.stripe_customer_id, row=row)
            tell_subscription(user_id=row.user_id, stripe_customer_id=row.stripe_customer_id, steps=story.steps)


def _holder(event: StripeEvent, story: Story, told: SubscriptionTold) -> int:
    # What any of its events says: which of them came first must not decide whose it is.
    return customer_of(
        event, references=story.references, stripe_customer_id=told.stripe_customer_id, emails={told.email}
    ).pk


def _check_agreement(event: StripeEvent, row: Subscription, told: SubscriptionTold) -> None:
    """Raise Parked if the metadata names somebody else than whose it was booked as; Waiting for who is not told of."""
    if not told.references or told.references == {row.user.external_id}:
        return
    named = customer_expected(event, told.references)
    if row.user_id not in people.family_of(named.pk):
        raise Parked(
            f"This subscription is customer {row.user_id}'s here, but the metadata now names customer {named.pk}. "
            "Correct the metadata in Stripe, then replay."
        )


def _wait_for_subscription(event: StripeEvent) -> None:
    """Raise Waiting, or Parked once the subscription has had its time to come."""
    wait_for(event, f"Nothing is known of {event.subscription_id} yet.")
    raise Parked(
        f"Nothing is known of {event.subscription_id}, whose discount this is. Resend the subscription's events from "
        "Stripe; this one follows by itself."
    )
