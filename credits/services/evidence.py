"""Acts of staff: done with a reason and recorded in the audit log, in one transaction."""

from datetime import datetime

from django.db import transaction

from accounts.errors import CustomerRetired
from accounts.models import User
from accounts.selectors import retirement_of
from audit import services as audit
from audit.actions import Action
from backoffice.lib.money import plain_credits
from credits.errors import ReasonMissing
from credits.limits import Limit
from credits.models import CreditTransaction
from credits.postings import Act, PostResult
from credits.services.posting import result_of, try_post
from jobs.services import count_use, lock_staff


def post_as_staff(
    act: Act,
    *,
    action: Action,
    limit: Limit,
    actor: User,
    approved_by: User | None,
    reason: str,
    expires_at: datetime | None = None,
    reaches_retired: bool = False,
) -> PostResult:
    """Do an act that makes an entry and record it, once: a replay did nothing.

    Its credits count against ``limit`` of the actor, or of the second person who allowed it. ``reaches_retired``: it
    may be done on the ledger of somebody who was merged or anonymised. Raises ReasonMissing, LimitExceeded,
    CustomerRetired, and the CreditError of a refusal; what time has done to the account stays booked after the last.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept in the ledger and in the audit log.")
    holder = approved_by or actor
    with transaction.atomic():
        lock_staff(holder)
        outcome = try_post(act)
        if isinstance(outcome, PostResult) and not outcome.replayed:
            user_id = _customer_of(act)
            # Asked once the person is locked by the act: a merge locks them too, and one of the two waits.
            if not reaches_retired and retirement_of(user_id) is not None:
                raise CustomerRetired
            count_use(staff=holder, verb=limit, amount=abs(outcome.amount), key=act.idempotency_key)
            _record(
                action,
                act,
                outcome,
                user_id,
                actor=actor,
                approved_by=approved_by,
                reason=reason,
                expires_at=expires_at,
            )
    return result_of(outcome)


def _customer_of(act: Act) -> int:
    if act.target.user_id is not None:
        return act.target.user_id
    return CreditTransaction.objects.values_list("account_id", flat=True).get(pk=act.target.transaction_id or 0)


def _record(
    action: Action,
    act: Act,
    result: PostResult,
    user_id: int,
    *,
    actor: User,
    approved_by: User | None,
    reason: str,
    expires_at: datetime | None,
) -> None:
    new_values = {
        "balance": plain_credits(result.balance_after),
        "amount": plain_credits(result.amount),
        "transaction": result.transaction_id,
    }
    if expires_at is not None:
        new_values["expires_at"] = expires_at.isoformat()
    if approved_by is not None:
        new_values["approved_by"] = str(approved_by)
    if act.target.user_id is None:
        new_values["reverses"] = act.target.transaction_id
    audit.record(
        action=action,
        actor=actor,
        resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
        old_values={"balance": plain_credits(result.balance_before)},
        new_values=new_values,
        reason=reason,
    )
