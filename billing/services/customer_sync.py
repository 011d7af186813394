"""Reading what Stripe knows of one customer, when their page and Stripe disagree."""

from collections.abc import Iterator, Mapping
from typing import Any

from billing.payloads import value_at, whole_at
from billing.resources import CUSTOMERS, DISPUTES, PAYMENTS, REFUNDS, RESOURCES, Resource
from billing.services.fetching import Kept, keep_page
from billing.services.syncing import Watch, check_key
from billing.stripe_lists import Page, Reader


def sync_customer(*, stripe_customer_id: str, reader: Reader | None = None, watch: Watch | None = None) -> Kept:
    """Read one customer of Stripe's with their subscriptions, invoices, payments and what went back of those, and apply
    what is new. All of it is read each time. Raises SyncRefused, StripeCallFailed.
    """
    check_key()
    watch = watch or Watch()
    total = Kept()
    for resource, page in _pages(reader or Reader(), stripe_customer_id):
        total += keep_page(resource=resource, page=page)
        watch.progress(total.found)
    return total


def _pages(reader: Reader, stripe_customer_id: str) -> Iterator[tuple[Resource, Page]]:
    yield CUSTOMERS, reader.one(f"{CUSTOMERS.path}/{stripe_customer_id}")
    for resource in RESOURCES.values():
        if not resource.by_customer:
            continue
        for page in reader.pages(resource.path, resource.parameters(since=None, customer=stripe_customer_id)):
            yield resource, page
            if resource is PAYMENTS:
                yield from _money_back(reader, page)


def _money_back(reader: Reader, payments: Page) -> Iterator[tuple[Resource, Page]]:
    """Stripe lists refunds and disputes by payment alone; few payments have any, and their charge says so."""
    for intent in payments.objects:
        wanted = [REFUNDS] if (whole_at(intent, "latest_charge", "amount_refunded") or 0) > 0 else []
        wanted += [DISPUTES] if value_at(intent, "latest_charge", "disputed") is True else []
        for resource in wanted:
            for page in reader.pages(resource.path, _of_payment(resource, intent)):
                yield resource, page


def _of_payment(resource: Resource, intent: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**resource.parameters(since=None), "payment_intent": intent["id"]}
