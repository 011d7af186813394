"""What the discounts of a subscription take off, where the event itself gives no more than their ids."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from backoffice.lib import clock
from billing import selectors, stripe_api
from billing.errors import Parked, Waiting
from billing.models import StripeEvent
from billing.payloads import value_at
from billing.readings.discounts import Coupon, DiscountTold, read_coupon, read_discounts
from billing.stripe_api import Answers

WAIT_FOR_TERMS = timedelta(minutes=15)
NOTHING = Coupon(percent_off=None, amount_off=None, currency="", is_once=True, products=frozenset())


class TermsBook:
    """The terms of discounts, from what is stored of them, from what the subscription had before, else from Stripe."""

    def __init__(self, event: StripeEvent, answers: Answers, *, subscription_id: str) -> None:
        self._event = event
        self._answers = answers
        self._subscription_id = subscription_id
        self._told: dict[str, DiscountTold] = {}
        self._coupons: dict[str, Coupon] = {}

    def learn(self, discounts: Iterable[DiscountTold]) -> None:
        """Remember what is told of these, wherever it was told."""
        for discount in discounts:
            known = self._told.get(discount.key)
            if discount.coupon_id and (known is None or known.coupon is None):
                self._told[discount.key] = discount
            if discount.coupon is not None:
                self._coupons.setdefault(discount.coupon_id, discount.coupon)

    def complete(self, discount: DiscountTold) -> DiscountTold:
        """The discount with its coupon. Raises AnswerNeeded, StripeCallFailed, Waiting, Parked."""
        if discount.coupon is not None:
            return discount
        known = discount if discount.coupon_id else self._told.get(discount.key)
        if known is None:
            known = self._listed_by_stripe(discount)
            if known is None:
                # It was taken off again since, and what it was cannot be asked for any more.
                return replace(discount, coupon=NOTHING)
        return replace(known, coupon=known.coupon or self._coupon(known))

    def _coupon(self, discount: DiscountTold) -> Coupon:
        coupon_id = discount.coupon_id
        if coupon_id not in self._coupons:
            stored = selectors.coupon_told(coupon_id, livemode=self._event.livemode)
            self._coupons[coupon_id] = read_coupon(
                stored if stored is not None else self._asked("coupon", coupon_id, f"coupon {coupon_id}")
            )
        return self._coupons[coupon_id]

    def _listed_by_stripe(self, discount: DiscountTold) -> DiscountTold | None:
        subject = self._asked("subscription", self._subscription_id, f"discount {discount.id}")
        listed: Sequence[Any] = value_at(subject, "items", "data") or []
        told = [*read_discounts(subject), *(each for item in listed for each in read_discounts(item))]
        return next((each for each in told if each.id == discount.id and each.coupon_id), None)

    def _asked(self, kind: str, object_id: str, what: str) -> Any:
        if stripe_api.is_configured():
            return self._answers.to(kind, object_id)
        until = self._event.received_at + WAIT_FOR_TERMS
        if clock.now() < until:
            raise Waiting(f"What {what} takes off is not told yet.", until=until)
        raise Parked(
            f"What {what} takes off is not known, and without STRIPE_SECRET_KEY it cannot be read from Stripe. Set the "
            "key and replay."
        )
