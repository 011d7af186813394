"""Prices and products of Stripe's: what is for sale there becomes plans and packs here."""

from backoffice.lib import money
from billing import selectors
from billing.errors import Ignored, Parked
from billing.handlers.words import decided, last_word
from billing.models import StripeEvent
from billing.ordering import RANKS, Word, word_of
from billing.readings.catalogue import PriceTold, read_price, read_product
from billing.services.catalogue import keep_pack, keep_plan_price, keep_product
from billing.stripe_api import Answers

PRICE_TYPES = ("price.created", "price.updated", "price.deleted")
PRODUCT_TYPES = ("product.created", "product.updated", "product.deleted")


def on_price(event: StripeEvent, answers: Answers) -> None:
    """Keep what Stripe says last of a price. Raises NotApplied, AnswerNeeded, StripeCallFailed."""
    word = last_word(event, answers, types=PRICE_TYPES, kind="price")
    told = read_price(word.subject)
    if not told.price_id or not money.is_currency(told.currency):
        raise Parked("The price has no id, or no currency that we know. Look it up in Stripe.")
    is_sold = told.is_active and word.rank != RANKS["deleted"]
    if told.interval:
        _keep_recurring(event, answers, told, word, is_active=is_sold)
    elif told.amount_minor is None:
        raise Ignored("What it costs is decided when it is bought, so no pack follows from it.")
    else:
        keep_pack(told=told, word=word, is_sold=is_sold)


def _keep_recurring(event: StripeEvent, answers: Answers, told: PriceTold, word: Word, *, is_active: bool) -> None:
    if not told.product_id:
        raise Parked("The price names no product, so no plan follows from it. Look it up in Stripe.")
    keep_plan_price(told=told, word=word, is_active=is_active)
    # The product may have been told before there was a plan to keep its name in.
    of_product = selectors.newest_events_of(told.product_id, types=PRODUCT_TYPES, livemode=event.livemode)
    if of_product:
        product = decided([word_of(each) for each in of_product], answers, kind="product", object_id=told.product_id)
        keep_product(told=read_product(product.subject), word=product)


def on_product(event: StripeEvent, answers: Answers) -> None:
    """Let the plan of a product follow what Stripe says last. Raises NotApplied, AnswerNeeded, StripeCallFailed."""
    word = last_word(event, answers, types=PRODUCT_TYPES, kind="product")
    told = read_product(word.subject)
    if told.product_id not in selectors.plans_by_product([told.product_id]):
        raise Ignored("No plan is sold as this product. One follows from a recurring price of it.")
    keep_product(told=told, word=word)
