"""Allowances that staff set by hand."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from accounts.errors import CustomerRetired
from accounts.models import User
from accounts.selectors import retirement_of
from audit import services as audit
from audit.actions import Action
from backoffice.lib.money import plain_credits
from credits.errors import DemoCustomer, ReasonMissing, UnknownUser
from credits.limits import Limit
from credits.models import CreditAccount
from credits.postings import PostResult
from credits.services.allowances import anchor_of, set_allowance
from credits.services.ground import Opened
from jobs.services import count_use, lock_staff


@dataclass(frozen=True)
class AllowanceResult:
    """The monthly allowance before and after, and what was granted at once, in credits."""

    before: Decimal
    after: Decimal
    granted: Decimal

    @property
    def changed(self) -> bool:
        return self.before != self.after


@transaction.atomic
def adjust_allowance(
    *, user_id: int, amount: Decimal, reason: str, actor: User, idempotency_key: str
) -> AllowanceResult:
    """Set the monthly allowance to ``amount`` credits, 0 for none. When it is that already, nothing is done.

    More than before grants the difference for the running period at once and counts against the actor's limit of
    adjustments; less takes effect with the next period. Raises ReasonMissing, InvalidAmount, UnknownUser, DemoCustomer,
    CustomerRetired, LimitExceeded, and TokenReused when the key stands for another raise.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept in the audit log.")
    lock_staff(actor)
    Opened.of_users({user_id})
    account = CreditAccount.objects.select_related("user").filter(pk=user_id).first()
    if account is None:
        raise UnknownUser(user_id)
    if account.user.demo_mode:
        raise DemoCustomer(user_id)
    if retirement_of(user_id) is not None:
        raise CustomerRetired
    before = account.monthly_allowance
    if before == amount:
        return AllowanceResult(before, amount, Decimal(0))
    outcomes = set_allowance(
        user_id=user_id,
        amount=amount,
        period_start=anchor_of(account),
        paid_until=account.allowance_paid_until if account.next_reset_at else None,
    )
    granted = sum((outcome.amount for outcome in outcomes if isinstance(outcome, PostResult)), Decimal(0))
    if amount > before:
        count_use(staff=actor, verb=Limit.ADJUST, amount=amount - before, key=idempotency_key)
    audit.record(
        action=Action.ALLOWANCE_ADJUSTED,
        actor=actor,
        resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
        old_values={"monthly_allowance": plain_credits(before)},
        new_values={"monthly_allowance": plain_credits(amount), "granted": plain_credits(granted)},
        reason=reason,
    )
    return AllowanceResult(before, amount, granted)
