"""Using up limits: checked and counted in the transaction of the act, under a lock on the member of staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from accounts.models import DefaultRole, User
from backoffice.lib import clock
from jobs import selectors
from jobs.errors import TokenReused
from jobs.models import LimitUse, RoleLimit


@dataclass(frozen=True)
class Use:
    """What an act uses of a limit: all of it together, and the largest single one. In the verb's unit."""

    verb: str
    amount: Decimal
    largest: Decimal


def lock_staff(staff: User) -> None:
    """Make the acts of one member of staff queue, so that two at once cannot both use the rest of a limit.

    To be called first in a transaction: people are locked before their accounts.
    """
    list(User.objects.select_for_update(no_key=True).filter(pk=staff.pk).values_list("pk"))


def count_use(*, staff: User, verb: str, amount: Decimal, key: str, largest: Decimal | None = None) -> None:
    """Count an act of ``amount`` (in the verb's unit) against the limits of ``staff``, under a ``key`` of its own.

    ``largest`` is the largest single act when ``amount`` is a sum. Call it in the act's transaction, after
    ``lock_staff``. Raises LimitExceeded and TokenReused, and then the act must not be kept. A key under which a second
    person was asked stands for the request: nothing is done under it beside that.
    """
    exceeded = selectors.excess(staff=staff, verb=verb, amount=amount, largest=largest)
    if exceeded is not None:
        raise exceeded
    if selectors.request_made_with(key) is not None:
        raise TokenReused
    _, is_new = LimitUse.objects.get_or_create(
        key=key, defaults={"staff": staff, "verb": verb, "amount": amount, "at": clock.now()}
    )
    if not is_new:
        # Who is asked for an act again answers what came of it. One that is done anew under an old key, as by a form
        # that is sent with an old token, would be one that nobody counts.
        raise TokenReused


def apply_default_limits(defaults: Mapping[str, Mapping[str, tuple[int, int]]], *, using: str) -> None:
    """Give the default roles the limits they begin with (role -> verb -> per act, per day), each once.

    What staff changed or deleted since stays as they left it, and a role of theirs gets none.
    """
    with transaction.atomic(using=using):
        for role in DefaultRole.objects.using(using).select_for_update().filter(pk__in=defaults):
            due = {verb: bounds for verb, bounds in defaults[role.pk].items() if f"limit:{verb}" not in role.applied}
            role.applied = [*role.applied, *(f"limit:{verb}" for verb in due)]
            role.save(using=using, update_fields=["applied"])
            if role.group is None:
                continue
            for verb, (per_act, per_day) in due.items():
                RoleLimit.objects.using(using).get_or_create(
                    group=role.group, verb=verb, defaults={"per_act": per_act, "per_day": per_day}
                )
