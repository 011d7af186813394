"""Reads of what is for sale."""

from collections.abc import Iterable

from billing.models import CreditPack


def packs_by_price(price_ids: Iterable[str]) -> dict[str, CreditPack]:
    """The packs of these prices of Stripe's, for sale or not any more."""
    return {pack.stripe_price_id or "": pack for pack in CreditPack.objects.filter(stripe_price_id__in=list(price_ids))}
