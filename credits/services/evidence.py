"""Acts of staff: done with a reason and recorded in the audit log, in one transaction."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib.money import plain_credits
from credits.errors import ReasonMissing
from credits.models import CreditTransaction
from credits.postings import Act, PostResult
from credits.services.posting import result_of, try_post


def post_as_staff(
    act: Act, *, action: Action, actor: User, reason: str, expires_at: datetime | None = None
) -> PostResult:
    """Do an act that makes an entry and record it, once: a replay did nothing.

    Raises ReasonMissing, and the CreditError of a refusal; what time has done to the account stays booked then too.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept in the ledger and in the audit log.")
    with transaction.atomic():
        outcome = try_post(act)
        if isinstance(outcome, PostResult) and not outcome.replayed:
            _record(action, act, outcome, actor=actor, reason=reason, expires_at=expires_at)
    return result_of(outcome)


def _record(
    action: Action, act: Act, result: PostResult, *, actor: User, reason: str, expires_at: datetime | None
) -> None:
    new_values = {
        "balance": plain_credits(result.balance_after),
        "amount": plain_credits(result.amount),
        "transaction": result.transaction_id,
    }
    if expires_at is not None:
        new_values["expires_at"] = expires_at.isoformat()
    user_id = act.target.user_id
    if user_id is None:
        new_values["reverses"] = act.target.transaction_id
        user_id = CreditTransaction.objects.values_list("account_id", flat=True).get(pk=act.target.transaction_id or 0)
    audit.record(
        action=action,
        actor=actor,
        resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
        old_values={"balance": plain_credits(result.balance_before)},
        new_values=new_values,
        reason=reason,
    )
