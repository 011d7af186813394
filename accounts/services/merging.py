"""Two rows of one customer become one. What other apps keep of them moves by their own steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts import selectors
from accounts.errors import MergeRefused, ReasonRefused, UnknownCustomer
from accounts.models import (
    ActivityEvent,
    Customer,
    CustomerTag,
    Fate,
    RetiredCustomer,
    StaffNote,
    Status,
    StatusChange,
    User,
)
from accounts.services.activities import SIGNUP
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib.lives import merge_steps

# Where no mail is ever delivered.
NOWHERE = "retired.invalid"
# What the survivor takes over where they have none of their own.
FILLED = ("external_id", "stripe_customer_id", "full_name", "avatar", "country", "signup_source", "last_active_at")


@dataclass(frozen=True)
class MergeResult:
    """The customer who stays, and what each app moved. ``replayed`` says that the two were one already."""

    survivor: Customer
    moved: Mapping[str, Any]
    replayed: bool = False


def obstacles(survivor: Customer, merged: Customer) -> list[str]:
    """Why the two cannot become one now, in words; empty if they can."""
    found = []
    if survivor.pk == merged.pk:
        return ["A customer is not merged into themselves."]
    if any(selectors.retirement_of(user.pk) for user in (survivor, merged)):
        return ["One of the two was merged or anonymised before."]
    if merged.status != Status.ACTIVE:
        found.append(
            f"{merged.email} is {merged.get_status_display().lower()}: lift that first, or it would be undone."
        )
    if survivor.demo_mode != merged.demo_mode:
        found.append("One of the two is a demo customer, who is never counted.")
    if survivor.stripe_customer_id and merged.stripe_customer_id:
        found.append(
            f"Stripe knows both, as {survivor.stripe_customer_id} and {merged.stripe_customer_id}, and would go on"
            " charging the two of them."
        )
    for step in merge_steps:
        found += step.obstacles(survivor.pk, merged.pk)
    return found


@transaction.atomic
def merge_customers(*, survivor_id: int, merged_id: int, reason: str, actor: User) -> MergeResult:
    """Make the customer ``merged_id`` part of ``survivor_id``, for good.

    The survivor gets credits with their terms and value, activity, notes and tags, and whatever of the other's data
    they had not themselves. The other row stays, banned and nameless, for its ledger and its evidence; the product's id
    of it leads to the survivor. The same merge again does nothing. Raises UnknownCustomer, ReasonRefused, MergeRefused.
    """
    if not reason.strip():
        raise ReasonRefused("Say why: the reason is kept in the audit log.")
    survivor, merged = _locked(survivor_id, merged_id)
    known = selectors.retirement_of(merged_id)
    if known is not None and known.into_id == survivor_id:
        return MergeResult(survivor, {}, replayed=True)
    if refusals := obstacles(survivor, merged):
        raise MergeRefused(" ".join(refusals))
    key = f"merge:{merged.pk}:{survivor.pk}"
    moved: dict[str, Any] = _move(survivor, merged)
    # The ledger moves while the persons are still who they were.
    for step in merge_steps:
        moved |= step.move(survivor_id=survivor.pk, merged_id=merged.pk, actor_id=actor.pk, key=key)
    _retire(survivor, merged, actor)
    for user, role in ((merged, {"merged_into": survivor.pk}), (survivor, {"absorbed": merged.pk})):
        record(
            action=Action.CUSTOMERS_MERGED,
            actor=actor,
            resource=Resource.of(user),
            old_values={"status": Status.ACTIVE} if user is merged else None,
            new_values={**role, **moved},
            reason=reason,
        )
    return MergeResult(survivor, moved)


def _locked(survivor_id: int, merged_id: int) -> tuple[Customer, Customer]:
    # In one order for all: two merges in opposite directions queue instead of deadlocking.
    wanted = Customer.objects.select_for_update(no_key=True).filter(pk__in=[survivor_id, merged_id]).order_by("pk")
    found = {customer.pk: customer for customer in wanted}
    for user_id in (survivor_id, merged_id):
        if user_id not in found:
            raise UnknownCustomer(user_id)
    return found[survivor_id], found[merged_id]


def _move(survivor: Customer, merged: Customer) -> dict[str, int]:
    # Somebody signed up once: a second signup stays with the row that it made.
    acts = ActivityEvent.objects.filter(user_id=merged.pk)
    if ActivityEvent.objects.filter(user_id=survivor.pk, action=SIGNUP).exists():
        acts = acts.exclude(action=SIGNUP)
    borne = CustomerTag.objects.filter(user_id=survivor.pk, tag_id=OuterRef("tag_id"))
    CustomerTag.objects.filter(Exists(borne), user_id=merged.pk).delete()
    return {
        "activity": acts.update(user_id=survivor.pk),
        "notes": StaffNote.objects.filter(user_id=merged.pk).update(user_id=survivor.pk),
        "tags": CustomerTag.objects.filter(user_id=merged.pk).update(user_id=survivor.pk),
    }


def _retire(survivor: Customer, merged: Customer, actor: User) -> None:
    gained = [name for name in FILLED if not getattr(survivor, name) and getattr(merged, name)]
    if merged.last_active_at and survivor.last_active_at:
        gained.append("last_active_at")
    values = {name: getattr(merged, name) for name in gained}
    if survivor.last_active_at and "last_active_at" in values:
        values["last_active_at"] = max(survivor.last_active_at, values["last_active_at"])
    former_id = None if "external_id" in values else merged.external_id
    RetiredCustomer.objects.filter(into_id=merged.pk).update(into_id=survivor.pk)
    RetiredCustomer.objects.create(user_id=merged.pk, fate=Fate.MERGED, into_id=survivor.pk, former_id=former_id)
    close(merged, reason=f"merged into customer {survivor.pk}", actor=actor, source=f"merge:{survivor.pk}")
    # After the other row let go of them: some are unique.
    if values:
        for name, value in values.items():
            setattr(survivor, name, value)
        survivor.save(update_fields=[*values, "updated_at"])


def close(customer: User, *, reason: str, actor: User | None, source: str) -> None:
    """Shut a customer out for good and leave nothing personal in their row; unique values become free."""
    StatusChange.objects.create(
        user_id=customer.pk, old=customer.status, new=Status.BANNED, reason=reason, actor=actor, source=source
    )
    customer.email = f"{customer.pk}@{NOWHERE}"
    customer.external_id = customer.stripe_customer_id = customer.status_until = None
    customer.full_name = customer.avatar = ""
    customer.status, customer.status_reason = Status.BANNED, reason
    customer.set_unusable_password()
    customer.save()


def effects(survivor_id: int, merged_id: int) -> Sequence[Any]:
    """What the steps of other apps would change, as lines of a confirm form."""
    return [line for step in merge_steps for line in step.effect(survivor_id, merged_id)]
