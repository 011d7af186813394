"""Replay: a member of staff has an event processed once more, after setting right what was in its way."""

from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.nudge import nudge
from backoffice.lib.work import ItemOutcome, Running
from billing.errors import NotReplayable, ReasonMissing
from billing.models import EventState, StripeEvent
from billing.services.families import locked_event, members_of
from billing.services.processing import process_event

REPLAYABLE = (EventState.PARKED, EventState.FAILED, EventState.IGNORED)
# Those of them that wait for somebody. What was ignored is replayed one by one: nobody wants all of that back.
REPLAYABLE_TOGETHER = (EventState.PARKED, EventState.FAILED)
PROCESS_EVENT = "billing.tasks.process_stripe_event"


def replay_event(*, event_id: int, actor: User, reason: str) -> StripeEvent:
    """Process an event once more, now, and return it as it then is.

    Raises ReasonMissing, NotReplayable if it has taken effect or is still waiting, StripeEvent.DoesNotExist.
    """
    if not reason.strip():
        raise ReasonMissing("Say why this event is to be processed again.")
    _reopen(event_id, actor, reason)
    process_event(event_id=event_id)
    return StripeEvent.objects.defer("body").get(pk=event_id)


@transaction.atomic
def replay_many(running: Running, event_ids: Sequence[int]) -> list[ItemOutcome]:
    """Hand some events of a job to the workers once more. Its entry in the audit log is the job's own."""
    waiting = StripeEvent.objects.filter(pk__in=event_ids, state__in=REPLAYABLE_TOGETHER).exclude(body=b"")
    # One that somebody has locked is being worked on, and whoever does may be about to lock others of these.
    open_again = set(waiting.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=open_again).update(
        state=EventState.RECEIVED, next_attempt_at=clock.now(), processed_at=None, failures=0
    )
    for event_id in sorted(open_again):
        nudge(PROCESS_EVENT, event_id)
    return [
        ItemOutcome(event_id)
        if event_id in open_again
        else ItemOutcome(event_id, is_done=False, note="It took effect, is being processed, or was emptied meanwhile.")
        for event_id in event_ids
    ]


@transaction.atomic
def _reopen(event_id: int, actor: User, reason: str) -> None:
    event = locked_event(event_id)
    if not event.body:
        raise NotReplayable("emptied, for its age or for the person it told of,")
    if event.state not in REPLAYABLE:
        raise NotReplayable(event.get_state_display().lower())
    audit.record(
        action=Action.STRIPE_EVENT_REPLAYED,
        actor=actor,
        resource=audit.Resource(StripeEvent._meta.label_lower, str(event.pk), event.stripe_id),
        old_values={"state": event.state, "error": event.error},
        new_values={"state": EventState.RECEIVED},
        reason=reason,
    )
    event.state = EventState.RECEIVED
    event.next_attempt_at = clock.now()
    event.processed_at = None
    # All its tries are ahead of it once more.
    event.failures = 0
    event.settled_by_hand = False
    event.save(update_fields=["state", "next_attempt_at", "processed_at", "failures", "settled_by_hand"])
    # Whoever has it processed wants its payment booked, whichever of its events was settled by hand.
    same = members_of({event.payment_intent_id} - {""})
    same.filter(settled_by_hand=True).update(settled_by_hand=False)
