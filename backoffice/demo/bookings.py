"""Plays what moves the ledger one act at a time: months of yearly plans, holds that end, refunds, reversals."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import StaffMember
from backoffice.demo import acts
from credits import services
from credits.errors import InsufficientCredits
from credits.kinds import HoldState, TransactionKind
from credits.models import CreditHold, CreditTransaction


class Bookings:
    """``settled`` gives our id of a customer for whom nothing waits to be posted any more."""

    def __init__(self, settled: Callable[[str], int], staff: Mapping[str, StaffMember]) -> None:
        self._settled = settled
        self._staff = staff
        self._renewed_at: datetime | None = None
        self.parts: Mapping[type[acts.Act], Callable[[Any], None]] = {
            acts.Renewal: self._renew,
            acts.Sweep: self._sweep,
            acts.Capture: self._capture,
            acts.Release: self._release,
            acts.UsageRefund: self._refund,
            acts.GiftReversal: self._reverse_gift,
        }

    def _renew(self, act: acts.Renewal) -> None:
        # One sweep begins the months of all whose day it is.
        if act.at != self._renewed_at:
            services.reset_allowances()
        self._renewed_at = act.at

    def _sweep(self, act: acts.Sweep) -> None:
        services.expire_credits()

    def _capture(self, act: acts.Capture) -> None:
        if hold := self._open_hold(act.person_id, act.reference):
            services.capture_hold(
                hold_id=hold.pk,
                amount=act.credits,
                idempotency_key=f"api:demo:capture:{act.reference}",
                action_type=act.action_type,
                description=act.description,
                metadata=act.metadata,
                event_at=act.at,
            )

    def _release(self, act: acts.Release) -> None:
        if hold := self._open_hold(act.person_id, act.reference):
            services.release_hold(hold_id=hold.pk, idempotency_key=f"api:demo:release:{act.reference}")

    def _open_hold(self, person_id: str, reference: str) -> CreditHold | None:
        """The hold for a piece of work, unless it was refused for want of credits."""
        holds = CreditHold.objects.filter(account=self._settled(person_id), state=HoldState.OPEN)
        return holds.filter(reference=reference).first()

    def _refund(self, act: acts.UsageRefund) -> None:
        spent = self._entries(act.person_id).filter(kind=TransactionKind.USAGE, reference=act.reference).first()
        if spent is None:
            # It was refused for want of credits.
            return
        services.refund_usage(
            transaction_id=spent.pk,
            amount=act.credits,
            reason=act.reason,
            idempotency_key=act.key,
            actor=self._staff[act.colleague] if act.colleague else None,
        )

    def _reverse_gift(self, act: acts.GiftReversal) -> None:
        gift = self._entries(act.person_id).filter(kind=TransactionKind.GIFT).latest("seq")
        # Who has spent all of it by then keeps it.
        with suppress(InsufficientCredits):
            services.reverse_transaction(
                transaction_id=gift.pk,
                reason=act.reason,
                actor=self._staff[act.colleague],
                idempotency_key=act.key,
            )

    def _entries(self, person_id: str) -> QuerySet[CreditTransaction]:
        return CreditTransaction.objects.filter(account=self._settled(person_id))
