"""What acts of staff leave in the audit log, in the transaction of the act itself."""

from datetime import datetime

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib.money import plain_credits
from credits.errors import ReasonMissing
from credits.models import CreditTransaction
from credits.postings import PostResult


def check_reason(reason: str) -> None:
    """Raise ReasonMissing unless a reason is given."""
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept in the ledger and in the audit log.")


def record(
    action: Action,
    result: PostResult,
    *,
    actor: User,
    reason: str,
    user_id: int | None = None,
    reverses: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Record the act that made an entry, once: a replay did nothing. ``reverses`` names the entry it is about."""
    if result.replayed:
        return
    new_values = {
        "balance": plain_credits(result.balance_after),
        "amount": plain_credits(result.amount),
        "transaction": result.transaction_id,
    }
    if expires_at is not None:
        new_values["expires_at"] = expires_at.isoformat()
    if reverses is not None:
        new_values["reverses"] = reverses
    owner = user_id or CreditTransaction.objects.values_list("account_id", flat=True).get(pk=reverses or 0)
    audit.record(
        action=action,
        actor=actor,
        resource=audit.Resource("accounts.user", str(owner), f"user {owner}"),
        old_values={"balance": plain_credits(result.balance_before)},
        new_values=new_values,
        reason=reason,
    )
