"""Forgetting a customer: all that is personal goes, in every app; the ledger and the audit log stay, of nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from axes.models import AccessAttempt
from django.db import transaction

from accounts import selectors
from accounts.errors import AnonymiseRefused, ReasonRefused, UnknownCustomer
from accounts.models import (
    ActivityEvent,
    Customer,
    CustomerTag,
    Fate,
    RetiredCustomer,
    SavedFilter,
    StaffNote,
    StaffSession,
    StatusChange,
    User,
)
from accounts.models.retired import hashed
from accounts.models.users import new_referral_code
from accounts.services.merging import close
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib.lives import Known, anonymisers


@dataclass(frozen=True)
class AnonymiseResult:
    """How many rows of what were emptied. ``replayed`` says that the customer was anonymised before."""

    emptied: Mapping[str, int]
    replayed: bool = False


def anonymise_obstacles(customer: Customer) -> list[str]:
    """Why the customer cannot be forgotten now, in words; empty if they can."""
    retired = selectors.retirement_of(customer.pk)
    if retired is not None and retired.fate == Fate.MERGED:
        return [f"This customer was merged into customer {retired.into_id}: anonymise that one, and this goes along."]
    user_ids = selectors.family_of(customer.pk)
    return [obstacle for anonymiser in anonymisers for obstacle in anonymiser.obstacles(user_ids)]


@transaction.atomic
def anonymise_user(*, user_id: int, reason: str, actor: User | None) -> AnonymiseResult:
    """Forget a customer and all who were merged into them, for good; ``actor`` None is somebody at the server's shell.

    What is personal goes from every table that an app keeps of them. Ledger, payments and the audit log stay, of a
    customer without a name who is banned for good. What the product tells of them later is refused: of its id a hash is
    kept. Twice is once. Raises UnknownCustomer, ReasonRefused, AnonymiseRefused.
    """
    if not reason.strip():
        raise ReasonRefused("Say why: the reason is kept in the audit log. It must not name them.")
    user_ids = selectors.family_of(user_id)
    # In one order for all, and before anything of theirs is read.
    people = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids, is_staff=False).order_by("pk")
    customer = {person.pk: person for person in people}.get(user_id)
    if customer is None:
        raise UnknownCustomer(user_id)
    # Somebody may have been merged into them while we waited: their rows are locked by ours, since both are needed.
    user_ids = selectors.family_of(user_id)
    retired = selectors.retirement_of(user_id)
    if retired is not None and retired.fate == Fate.ANONYMISED:
        return AnonymiseResult({}, replayed=True)
    if refusals := anonymise_obstacles(Customer.objects.get(pk=user_id)):
        raise AnonymiseRefused(" ".join(refusals))
    known = Known(
        email=customer.email, external_id=customer.external_id, stripe_customer_id=customer.stripe_customer_id
    )
    emptied: dict[str, int] = {}
    for anonymiser in anonymisers:
        emptied |= anonymiser.forget(user_ids, known)
    emptied |= _forget_person(customer, user_ids, actor)
    record(
        action=Action.CUSTOMER_ANONYMISED,
        actor=actor,
        resource=Resource.of(customer),
        new_values={"emptied": emptied},
        reason=reason,
    )
    return AnonymiseResult(emptied)


def _forget_person(customer: User, user_ids: Sequence[int], actor: User | None) -> dict[str, int]:
    emptied = _forget_what_is_kept_of(user_ids)
    # Lists that staff searched for this person and kept.
    emptied["filters"] = SavedFilter.objects.filter(query__icontains=quote(customer.email, safe="")).delete()[0]
    # Under their address, when they, or somebody else, took our login for the product's.
    emptied["attempts"] = AccessAttempt.objects.filter(username__iendswith=f": {customer.email}").delete()[0]
    former_id = hashed(customer.external_id) if customer.external_id else None
    RetiredCustomer.objects.create(user_id=customer.pk, fate=Fate.ANONYMISED, former_id=former_id)
    for absorbed in RetiredCustomer.objects.filter(into_id=customer.pk, former_id__isnull=False):
        absorbed.former_id = hashed(absorbed.former_id or "")
        absorbed.save(update_fields=["former_id"])
    # What merging leaves in a row for its history goes from all of them.
    for person in (customer, *User.objects.filter(pk__in=user_ids).exclude(pk=customer.pk).order_by("pk")):
        person.referral_code, person.character_count = new_referral_code(), 0
        person.country = person.signup_source = ""
        person.save(update_fields=["referral_code", "character_count", "country", "signup_source", "updated_at"])
    close(customer, reason="anonymised", actor=actor, source="anonymised")
    return emptied


def _forget_what_is_kept_of(user_ids: Sequence[int]) -> dict[str, int]:
    acts = ActivityEvent.objects.filter(user_id__in=user_ids)
    return {
        "activity": acts.update(visitor_id="", details={}, ip=None, user_agent=""),
        "notes": StaffNote.objects.filter(user_id__in=user_ids).delete()[0],
        "tags": CustomerTag.objects.filter(user_id__in=user_ids).delete()[0],
        "reasons": StatusChange.objects.filter(user_id__in=user_ids).exclude(reason="").update(reason=""),
        "sessions": StaffSession.objects.filter(user_id__in=user_ids).delete()[0],
    }
