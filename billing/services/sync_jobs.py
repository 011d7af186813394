"""A sync as a job: asked for by staff, done by a worker."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts.models import Customer, User
from accounts.services import lock_customers
from audit import services as audit
from audit.actions import Action
from backoffice.lib.work import Running
from billing.errors import StripeCallFailed
from billing.services.customer_sync import sync_customer
from billing.services.syncing import SyncRefused, Watch, check_key, sync
from jobs.models import Job
from jobs.services import create_job

SYNC, SYNC_CUSTOMER = "billing.stripe_sync", "billing.sync_customer"
UNKNOWN_THERE = "It is not known as which customer Stripe knows them. Enter Stripe's id (cus_) on the customer first."


def request_sync(*, since: date | None, only: Sequence[str], actor: User, reason: str, token: str) -> Job:
    """Queue a sync of what was created since the beginning of a day where the reports are read, once for each
    ``token``. Raises SyncRefused, NotAllowed.
    """
    check_key()
    begin = datetime.combine(since, time.min, ZoneInfo(settings.REPORTING_TIME_ZONE)) if since else None
    params = {"since": begin.isoformat() if begin else "", "only": list(only)}
    return create_job(kind=SYNC, actor=actor, params=params, reason=reason, token=token)


@transaction.atomic
def request_customer_sync(*, customer: Customer, actor: User, reason: str, token: str) -> Job:
    """Queue a sync of one customer, once for each ``token``. Raises SyncRefused, NotAllowed."""
    check_key()
    if not customer.stripe_customer_id:
        raise SyncRefused(UNKNOWN_THERE)
    # Of two at once, the second sees here that it is one.
    lock_customers([customer.pk])
    if job := Job.objects.filter(token=token).first():
        return job
    job = create_job(kind=SYNC_CUSTOMER, actor=actor, params={"customer": customer.pk}, reason=reason, token=token)
    audit.record(
        action=Action.STRIPE_CUSTOMER_SYNCED,
        actor=actor,
        resource=audit.Resource.of(customer),
        new_values={"stripe_customer_id": customer.stripe_customer_id, "job": job.pk},
        reason=reason,
    )
    return job


def run_sync(running: Running) -> None:
    """Read Stripe's lists. Raises SyncRefused; StripeCallFailed if one of them was not read to the end."""
    since = running.params["since"]
    ended = sync(
        since=datetime.fromisoformat(since) if since else None,
        only=running.params["only"],
        watch=Watch(progress=running.progress),
    )
    if failed := [str(one) for one in ended if one.error]:
        raise StripeCallFailed(" ".join(failed))
    totals = (sum(getattr(one, name) for one in ended) for name in ("found", "new", "held_up"))
    running.say(_told(*totals))


def run_customer_sync(running: Running) -> None:
    """Read what Stripe knows of one customer. Raises SyncRefused, StripeCallFailed."""
    customer = Customer.objects.filter(pk=running.params["customer"]).first()
    if customer is None or not customer.stripe_customer_id:
        raise SyncRefused(UNKNOWN_THERE)
    kept = sync_customer(stripe_customer_id=customer.stripe_customer_id, watch=Watch(progress=running.progress))
    running.say(_told(kept.found, kept.new, kept.held_up))


def _told(found: int, new: int, held_up: int) -> str:
    told = f"{found:,} objects read from Stripe, {new:,} of them told something new"
    return f"{told}, {held_up:,} of those are parked or failed: look into Stripe events." if held_up else f"{told}."
