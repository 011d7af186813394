"""Replay: a member of staff has an event processed once more, after setting right what was in its way."""

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from billing.errors import NotReplayable, ReasonMissing
from billing.models import EventState, StripeEvent
from billing.services.processing import process_event

REPLAYABLE = (EventState.PARKED, EventState.FAILED, EventState.IGNORED)


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
def _reopen(event_id: int, actor: User, reason: str) -> None:
    event = StripeEvent.objects.select_for_update(no_key=True).defer("payload").get(pk=event_id)
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
    event.save(update_fields=["state", "next_attempt_at", "processed_at"])
