"""Plays the story: each act goes through the service that would have had it, at its own moment."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from django.db import transaction

from accounts import services as accounts
from accounts.models import StaffMember, Status
from backoffice.demo import acts, company, requests
from backoffice.demo.bookings import Bookings
from backoffice.demo.errors import DemoError
from backoffice.demo.spending import Spending
from backoffice.demo.story import Story
from backoffice.lib import clock
from billing.models import EventState, StripeEvent
from billing.models.events import UNSETTLED
from billing.services.inbox import receive_event
from billing.services.processing import MAX_FAILURES, process_event
from credits.acts import PlaceHold
from credits.kinds import TransactionKind
from credits.postings import Posting
from credits.services import adjust_credits, gift_credits, verify_ledger

SECOND = timedelta(seconds=1)
FAILURE = (
    "Our side failed (OperationalError: the connection to the database was lost). "
    f"It was tried {MAX_FAILURES} times: have it looked at, then replay."
)


def play(story: Story, *, password: Callable[[], str], progress: Callable[[int, int], None]) -> int:
    """Play the story into an empty company, a transaction a day; how many spends the ledger refused.

    ``progress`` is told the days played and the days in all. ``password`` gives the demo admin's. Raises DemoError.
    """
    players = _Players(story, password)
    for number, day in enumerate(story.days(), start=1):
        with transaction.atomic():
            players.play(day)
        progress(number, story.period.days)
    accounts.count_customers()
    _prove(story)
    return players.spending.rejected


def _prove(story: Story) -> None:
    # Outside of any transaction: the proof has one of its own.
    with clock.at(story.period.end - SECOND):
        ledger = verify_ledger(source="command")
        figures = accounts.verify_figures(source="command")
    if ledger.faults or figures.faults:
        raise DemoError(f"The ledger of the story is broken: {[*ledger.findings, *figures.findings][0]}.")


class _Players:
    def __init__(self, story: Story, password: Callable[[], str]) -> None:
        self.spending = Spending(story.period.end)
        self._password = password
        self._period = story.period
        self._people: dict[str, int] = {}
        self._staff: dict[str, StaffMember] = {}
        # Sign-ups and activities are played for a whole day at once.
        self._parts: Mapping[type[acts.Act], Callable[[Any], None]] = {
            **Bookings(self._settled, self._staff).parts,
            acts.Opening: self._open,
            acts.PutOnSale: self._put_on_sale,
            acts.Bonus: self._give_bonus,
            acts.Spend: self._spend,
            acts.Hold: self._hold,
            acts.Gift: self._gift,
            acts.Adjustment: self._adjust,
            acts.StatusChange: self._change_status,
            acts.Delivery: self._deliver,
            acts.FailedDelivery: self._deliver_in_vain,
            acts.Closing: self._close,
        }

    def play(self, day: Sequence[acts.Act]) -> None:
        """Play the acts of one day."""
        self._people |= company.sign_up(act.person for act in day if isinstance(act, acts.SignUp))
        for act in day:
            if part := self._parts.get(type(act)):
                with clock.at(act.at):
                    part(act)
        self.spending.flush()
        self._record([act for act in day if isinstance(act, acts.Activity)])

    def _record(self, done: Sequence[acts.Activity]) -> None:
        if not done:
            return
        with clock.at(done[-1].at):
            accounts.record_activities(activities=[self._activity(act) for act in done])

    def _activity(self, act: acts.Activity) -> accounts.Activity:
        return accounts.Activity(
            event_id=act.event_id,
            action=act.action,
            user_id=self._people[act.person_id] if act.person_id else None,
            at=act.at,
            visitor_id=act.visitor_id,
            details=act.details,
        )

    def _open(self, act: acts.Opening) -> None:
        company.open_company(staff=act.staff, password=self._password, told=act.told)
        company.enter_rates(Random(str(act.told)), self._period)  # noqa: S311 (a story, not a secret)
        self._staff |= {member.email: member for member in StaffMember.objects.all()}

    def _put_on_sale(self, act: acts.PutOnSale) -> None:
        company.put_on_sale(actor=self._staff[act.colleague])

    def _close(self, act: acts.Closing) -> None:
        self._let_waits_end()
        if unsettled := StripeEvent.objects.filter(state__in=UNSETTLED, failures__lt=MAX_FAILURES).first():
            raise DemoError(f"The Stripe event {unsettled.stripe_id} did not come to rest: {unsettled.error}")
        requests.ask_and_decide(self._staff)
        company.close_company(told=act.told)

    def _let_waits_end(self) -> None:
        # A payment that names nobody waits a while for its session; here none comes, and no sweep runs.
        for event in StripeEvent.objects.filter(state=EventState.RECEIVED).order_by("pk"):
            with clock.at(event.next_attempt_at or clock.now()):
                process_event(event_id=event.pk)

    def _give_bonus(self, act: acts.Bonus) -> None:
        self.spending.add(
            act.at,
            Posting(
                user_id=self._people[act.person_id],
                kind=TransactionKind.BONUS,
                amount=act.credits,
                idempotency_key=act.key,
                description="Signup credits",
                event_at=act.at,
                expires_at=act.expires_at,
            ),
        )

    def _spend(self, act: acts.Spend) -> None:
        self.spending.add(
            act.at,
            Posting(
                user_id=self._people[act.person_id],
                kind=TransactionKind.USAGE,
                amount=-act.credits,
                idempotency_key=f"api:demo:{act.reference}",
                action_type=act.action_type,
                description=act.description,
                reference=act.reference,
                metadata=act.metadata,
                event_at=act.at,
            ),
        )

    def _hold(self, act: acts.Hold) -> None:
        self.spending.add(
            act.at,
            PlaceHold(
                user_id=self._people[act.person_id],
                amount=act.credits,
                idempotency_key=f"api:demo:{act.reference}",
                reference=act.reference,
                expires_in=act.expires_in,
            ),
        )

    def _gift(self, act: acts.Gift) -> None:
        gift_credits(
            user_id=self._settled(act.person_id),
            amount=act.credits,
            reason=act.reason,
            actor=self._staff[act.colleague],
            idempotency_key=act.key,
            expires_at=act.expires_at,
        )

    def _adjust(self, act: acts.Adjustment) -> None:
        adjust_credits(
            user_id=self._settled(act.person_id),
            amount=act.credits,
            reason=act.reason,
            actor=self._staff[act.colleague],
            idempotency_key=act.key,
        )

    def _change_status(self, act: acts.StatusChange) -> None:
        change = accounts.ban_customer if act.status == Status.BANNED else accounts.suspend_customer
        change(
            user_id=self._settled(act.person_id),
            reason=act.reason,
            until=act.until,
            actor=self._staff[act.colleague],
        )

    def _deliver(self, act: acts.Delivery) -> None:
        if act.person_id:
            self._settled(act.person_id)
        process_event(event_id=self._received(act).pk)

    def _deliver_in_vain(self, act: acts.FailedDelivery) -> None:
        # As processing leaves it after its last attempt; whoever replays it sees it work.
        event = self._received(act)
        event.state, event.error, event.next_attempt_at = EventState.FAILED, FAILURE, None
        event.attempts = event.failures = MAX_FAILURES
        event.save(update_fields=["state", "error", "attempts", "failures", "next_attempt_at"])

    def _received(self, act: acts.Delivery) -> StripeEvent:
        event = receive_event(body=act.body)
        if event is None:
            raise DemoError("Stripe delivers an event of the story that is kept already.")
        return event

    def _settled(self, person_id: str) -> int:
        """Our id of a customer, for whom nothing waits to be posted any more."""
        user_id = self._people[person_id]
        self.spending.settle(user_id)
        return user_id
