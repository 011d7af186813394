"""What the product and Stripe tell of customers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from accounts import selectors
from accounts.errors import (
    AlreadyCounted,
    CustomerAnonymised,
    CustomerMerged,
    EmailMissing,
    EmailTaken,
    UnknownCustomer,
)
from accounts.models import Customer, User
from accounts.models.users import new_referral_code
from accounts.services.activities import SIGNUP, link_visits, record_activity
from backoffice.lib import clock
from backoffice.lib.registry import demo_guards, plan_guards

# What may be told of a customer, and what null makes of it.
CLEARED: Mapping[str, Any] = {
    "full_name": "",
    "plan": "",
    "country": "",
    "signup_source": "",
    "character_count": 0,
    "demo_mode": False,
}
EMAIL_IS_TAKEN = "user_email_unique"
CODE_IS_TAKEN = "accounts_user_referral_code_key"
ID_IS_TAKEN = "accounts_user_external_id_key"


@dataclass(frozen=True)
class PutResult:
    """The customer as they are now, and whether they are new."""

    customer: User
    created: bool


@transaction.atomic
def put_customer(*, external_id: str, told: Mapping[str, Any]) -> PutResult:
    """Make or change the customer whom the product calls ``external_id``.

    ``told`` holds email, full_name, plan, country, signup_source, character_count, demo_mode, created_at (UTC, when
    the product first knew them), visitor_id and referred_by, as far as the product told of them: what is absent stays
    and None clears, except the time. The plan is left alone while something else manages it. A new customer's signup
    is recorded once, and earlier visits of ``visitor_id`` become theirs.

    Raises EmailTaken, EmailMissing, AlreadyCounted (demo_mode for somebody with a ledger), CustomerMerged,
    CustomerAnonymised, and UnknownCustomer when the id is not a customer's.
    """
    if "email" in told and not told["email"]:
        raise EmailMissing
    user = _locked(external_id)
    created = user is None
    if user is None:
        _check_not_retired(external_id)
        user, created = _create(external_id, told)
    if user.is_staff:
        raise UnknownCustomer(external_id)
    if created:
        _record_signup(user, told)
    else:
        _change(user, told)
    if visitor_id := told.get("visitor_id"):
        link_visits(visitor_id=visitor_id, user_id=user.pk)
    return PutResult(user, created)


def _check_not_retired(external_id: str) -> None:
    # Asked after the lock was sought: whoever was merged or anonymised while we waited is no more found by this id.
    retired = selectors.retirement_by_external_id(external_id)
    if retired is None:
        return
    if retired.into is None or not retired.into.external_id:
        raise CustomerAnonymised
    raise CustomerMerged(retired.into.external_id)


def _locked(external_id: str) -> User | None:
    return User.objects.select_for_update(no_key=True).filter(external_id=external_id).first()


def _create(external_id: str, told: Mapping[str, Any]) -> tuple[User, bool]:
    """A new customer; or the one, locked, whom another request made at the same moment."""
    if "email" not in told:
        raise EmailMissing
    user = User(external_id=external_id, **_columns(told))
    user.set_unusable_password()
    while violated := _violation(user, update_fields=None):
        if (other := _locked(external_id)) is not None:
            return other, False
        if violated != CODE_IS_TAKEN:
            raise EmailTaken
        user.referral_code = new_referral_code()
    return user, True


def _change(user: User, told: Mapping[str, Any]) -> None:
    columns = {name: value for name, value in _columns(told).items() if value != getattr(user, name)}
    if "plan" in columns and any(guard.managed_among([user.pk]) for guard in plan_guards):
        del columns["plan"]
    # The person is locked, and whoever moves their credits locks the person first.
    if columns.get("demo_mode") and any(guard.counted_among([user.pk]) for guard in demo_guards):
        raise AlreadyCounted
    if not columns:
        return
    for name, value in columns.items():
        setattr(user, name, value)
    if _violation(user, update_fields=[*columns, "updated_at"]):
        raise EmailTaken


def _columns(told: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: cleared if told[name] is None else told[name] for name, cleared in CLEARED.items() if name in told}
    if "email" in told:
        columns["email"] = User.objects.normalize_email(told["email"])
    if told.get("created_at"):
        columns["date_joined"] = told["created_at"]
    return columns


def _violation(user: User, *, update_fields: list[str] | None) -> str:
    """Save in a savepoint; the name of the unique constraint that spoke against it, or nothing."""
    try:
        # Looking whether an address is free and taking it are two moments: only the index knows in time.
        with transaction.atomic():
            user.save(update_fields=update_fields)
    except IntegrityError as error:
        name: str = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if name not in (EMAIL_IS_TAKEN, CODE_IS_TAKEN, ID_IS_TAKEN):
            raise
        return name
    return ""


def _record_signup(user: User, told: Mapping[str, Any]) -> None:
    details = {name: told[name] for name in ("referred_by", "signup_source") if told.get(name)}
    record_activity(
        event_id=f"accounts:signup:{user.pk}",
        action=SIGNUP,
        user_id=user.pk,
        at=user.date_joined,
        visitor_id=told.get("visitor_id") or "",
        details=details,
    )
    user.refresh_from_db(fields=["last_active_at"])


def lock_customers(user_ids: Collection[int]) -> None:
    """Keep these customers as they are until the transaction ends; in id order, as everybody does who locks several."""
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk")
    list(locked.values_list("pk"))


@transaction.atomic
def link_stripe_customer(*, user_id: int, stripe_customer_id: str) -> None:
    """Remember the Stripe customer of a user who has none; a known one is left as it is, and so is another's."""
    if not User.objects.filter(stripe_customer_id=stripe_customer_id).exists():
        # Nobody is known again who was merged or anonymised.
        living = User.objects.filter(pk=user_id, stripe_customer_id__isnull=True, retirement__isnull=True)
        living.update(stripe_customer_id=stripe_customer_id)


@transaction.atomic
def set_plan(*, user_id: int, plan: str) -> None:
    """Write the plan (its key) that a customer has, as whoever decides plans says."""
    User.objects.filter(pk=user_id).exclude(plan=plan).update(plan=plan, updated_at=clock.now())


@transaction.atomic
def clear_plan(*, user_id: int, plans: Collection[str]) -> None:
    """Leave a customer without a plan, if theirs is one of ``plans``."""
    User.objects.filter(pk=user_id, plan__in=plans).update(plan="", updated_at=clock.now())
