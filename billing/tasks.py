"""What workers do for billing. Each task is told a row and does nothing if it is done already."""

from celery import shared_task

from backoffice.lib.nudge import nudge
from billing.services import fee_fetching, reconciling, refund_calls, spend
from billing.services.inbox import claim_due_events
from billing.services.processing import process_event

SWEEP_LIMIT = 500


@shared_task
def process_stripe_event(event_id: int) -> None:
    """Process one event of the inbox."""
    process_event(event_id=event_id)


@shared_task
def sweep_stripe_events() -> None:
    """Hand out the events that are due: their nudge was lost, their wait is over, or they failed a while ago."""
    for event_id in claim_due_events(limit=SWEEP_LIMIT):
        nudge(process_stripe_event, event_id)


@shared_task
def make_refund(refund_id: int) -> None:
    """Have Stripe make a refund that a second person allowed."""
    refund_calls.make_refund(refund_id=refund_id)


@shared_task
def resolve_refund(refund_id: int) -> None:
    """Go on with a refund of which nobody knows yet what became of it."""
    refund_calls.resolve_refund(refund_id=refund_id)


@shared_task
def sweep_refunds() -> None:
    """Hand out the refunds that are due: whoever asked for them was stopped, or Stripe did not answer."""
    for refund_id in refund_calls.claim_due_refunds(limit=SWEEP_LIMIT):
        nudge(resolve_refund, refund_id)


@shared_task
def count_mismatches() -> None:
    """Count what does not add up between payments and the ledger, for the sidebar."""
    reconciling.count_mismatches()


@shared_task
def fetch_fees() -> None:
    """Ask Stripe for the fees of some payments whose events did not tell."""
    fee_fetching.fetch_fees()


@shared_task
def recount_after_new_rates() -> None:
    """Bring what customers spent in line with rates that were entered lately."""
    spend.recount_after_new_rates()


@shared_task
def recount_spends() -> None:
    """The same by all rates: a rate that was deleted, or a new reporting currency, leaves no time behind."""
    spend.recount_spends()
