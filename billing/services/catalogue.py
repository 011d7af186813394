"""Plans and packs as Stripe sells them. What only Stripe decides follows it; what staff wrote stays.

Whatever comes from Stripe is not for sale here until somebody of the staff says so.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from backoffice.lib import clock
from billing.models import CreditPack, Plan, PlanPrice
from billing.models.versions import Versioned
from billing.ordering import Word
from billing.readings.catalogue import PriceTold, ProductTold
from billing.services.families import lock_families

KEY_LENGTH = 64
DIGEST_LENGTH = 10


@transaction.atomic
def keep_plan_price(*, told: PriceTold, word: Word, is_active: bool) -> Plan:
    """Keep what Stripe says of a recurring price, and its plan: that of the product, made when there is none."""
    lock_families({told.product_id})
    price = PlanPrice.objects.select_for_update(no_key=True).filter(stripe_price_id=told.price_id).first()
    plan = price.plan if price else _plan_of(told.product_id)
    columns = {
        "amount_minor": told.amount_minor,
        "currency": told.currency,
        "interval": told.interval,
        "interval_count": told.interval_count,
        "is_active": is_active,
    }
    if price is None:
        PlanPrice.objects.create(plan=plan, stripe_price_id=told.price_id, **columns, **_version(word))
    elif _is_news(price, word):
        _write(price, columns, word)
    return plan


@transaction.atomic
def keep_product(*, told: ProductTold, word: Word) -> None:
    """Let the plan of a product follow Stripe's name and credits, as far as staff have not written others."""
    lock_families({told.product_id})
    plan = Plan.objects.select_for_update(no_key=True).filter(stripe_product_id=told.product_id).first()
    if plan is None or not _is_news(plan, word):
        return
    columns: dict[str, Any] = {"stripe_name": told.name, "stripe_credits": told.credits}
    if told.name and plan.name in (plan.stripe_name, told.product_id):
        columns["name"] = told.name
    if plan.monthly_credits == (plan.stripe_credits or 0):
        columns["monthly_credits"] = told.credits or 0
    _write(plan, columns, word)


@transaction.atomic
def keep_pack(*, told: PriceTold, word: Word, is_sold: bool) -> None:
    """Keep what Stripe says of a price at which credits are bought once: its pack, made when there is none.

    A price without credits in its metadata makes no pack; that of a pack that staff entered follows all the same. Its
    credits follow as far as staff have not written others. Without ``is_sold`` it goes off sale; only staff put it on.
    """
    lock_families({told.price_id})
    pack = CreditPack.objects.select_for_update(no_key=True).filter(stripe_price_id=told.price_id).first()
    columns: dict[str, Any] = {
        "price_minor": told.amount_minor,
        "currency": told.currency,
        "stripe_credits": told.credits,
    }
    if pack is None:
        if told.credits is not None:
            CreditPack.objects.create(
                name=told.name or told.price_id,
                credits=told.credits,
                stripe_price_id=told.price_id,
                is_active=False,
                **columns,
                **_version(word),
            )
    elif _is_news(pack, word):
        if told.credits is not None and pack.credits == pack.stripe_credits:
            columns["credits"] = told.credits
        if not is_sold:
            columns["is_active"] = False
        _write(pack, columns, word)


def _plan_of(product_id: str) -> Plan:
    known = Plan.objects.filter(stripe_product_id=product_id).first()
    return known or Plan.objects.create(
        stripe_product_id=product_id, key=_key_of(product_id), name=product_id, is_active=False
    )


def _key_of(product_id: str) -> str:
    """By the product's id, since its name may be told later: the key must not depend on what came first."""
    key = slugify(product_id.replace(".", "-"))[:KEY_LENGTH]
    if key and not Plan.objects.filter(key=key).exists():
        return key
    # Ids may differ in signs, in case or at their ends alone, and staff may have taken the key.
    digest = sha256(product_id.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{key[: KEY_LENGTH - DIGEST_LENGTH - 1]}-{digest}".removeprefix("-")


def _is_news(row: Versioned, word: Word) -> bool:
    return row.as_of is None or word.moment >= (row.as_of, row.as_of_rank)


def _version(word: Word) -> dict[str, Any]:
    return {"as_of": word.at, "as_of_rank": word.rank}


def _write(row: Versioned, columns: Mapping[str, Any], word: Word) -> None:
    changed = {**columns, **_version(word), "updated_at": clock.now()}
    type(row)._default_manager.filter(pk=row.pk).update(**changed)
