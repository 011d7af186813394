"""The company itself: whether it is there already, its staff and what it sells, its customers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group

from accounts.models import Customer, StaffMember
from audit import services as audit
from audit.actions import Action
from audit.modeladmin import plain
from audit.models import AuditEntry
from backoffice.demo.acts import Colleague, Person
from backoffice.demo.catalogue import PACKS
from backoffice.demo.office import ADMIN
from backoffice.demo.period import Period
from backoffice.demo.plans import SWAY, TIERS, WORTH
from billing.models import CreditPack, ExchangeRate, Plan

RESOURCE = audit.Resource("backoffice.demo", "demo", "demo company")


def whats_here() -> str:
    """What keeps the story from being played: whose customers there are. Nothing if there are none."""
    if not Customer.objects.exists():
        return ""
    told = set(AuditEntry.objects.filter(action__in=(Action.DEMO_BEGUN, Action.DEMO_FINISHED)).values_list("action"))
    if (Action.DEMO_FINISHED,) in told:
        return "The demo company is here already"
    return "A demo company is here that was stopped halfway" if told else "There are customers already"


def open_company(*, staff: Sequence[Colleague], password: Callable[[], str], told: Mapping[str, Any]) -> None:
    """Staff with their roles, an admin, and a note in the audit log.

    ``password`` is asked for only if there is no such admin yet; the others then have the same, so that each role can
    be looked at. Else they cannot log in.
    """
    audit.record(action=Action.DEMO_BEGUN, actor=None, resource=RESOURCE, new_values=told)
    if not StaffMember.objects.with_email(ADMIN.email).exists():
        shared = StaffMember.objects.create_superuser(ADMIN.email, password(), **_columns(ADMIN)).password
    else:
        shared = ""
    for colleague in staff:
        member = StaffMember.objects.create_user(colleague.email, None, is_staff=True, **_columns(colleague))
        if shared:
            member.password = shared
            member.save(update_fields=["password"])
        # Whoever deleted a default role before has a colleague without one.
        member.groups.set(Group.objects.filter(default_role=colleague.role))


def put_on_sale(*, actor: StaffMember) -> None:
    """What Stripe has told of becomes what customers can buy, as ``actor`` enters it: a plan gets the key that the
    product knows it by and what its trial gives."""
    for position, tier in enumerate(TIERS.values(), start=1):
        plan = Plan.objects.get(stripe_product_id=tier.product_id)
        _enter(plan, actor, key=tier.key, trial_credits=tier.trial, is_active=True, position=position)
    for position, told in enumerate(PACKS, start=1):
        pack = CreditPack.objects.get(stripe_price_id=told.price_id)
        _enter(pack, actor, is_active=True, position=position)


def _enter(row: Plan | CreditPack, actor: StaffMember, **columns: Any) -> None:
    changed = {name: value for name, value in columns.items() if getattr(row, name) != value}
    old = {name: plain(getattr(row, name)) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    audit.record(
        action=Action.RECORD_CHANGED,
        actor=actor,
        resource=audit.Resource.of(row),
        old_values=old,
        new_values={name: plain(value) for name, value in changed.items()},
    )


def enter_rates(rng: Random, period: Period) -> None:
    """What the currencies of its customers were worth in dollars, week by week."""
    worth = dict(WORTH)
    rates = []
    for number, day in enumerate(period.midnights(period.start)):
        if number % 7:
            continue
        for base in worth:
            rates.append(ExchangeRate(date=day.date(), base=base, quote="USD", rate=worth[base]))
            swayed = worth[base] * (1 + SWAY * rng.randint(-10, 10) / 10)
            worth[base] = swayed.quantize(worth[base])
    ExchangeRate.objects.bulk_create(rates)


def _columns(colleague: Colleague) -> dict[str, str]:
    return {"full_name": colleague.name, "referral_code": colleague.referral_code}


def close_company(*, told: Mapping[str, Any]) -> None:
    """Note in the audit log that the whole story was played."""
    audit.record(action=Action.DEMO_FINISHED, actor=None, resource=RESOURCE, new_values=told)


def sign_up(people: Iterable[Person]) -> dict[str, int]:
    """Make these customers; our id of each by the product's."""
    customers = Customer.objects.bulk_create(_customer(person) for person in people)
    return {customer.external_id or "": customer.pk for customer in customers}


def _customer(person: Person) -> Customer:
    return Customer(
        # Customers log in to the product, not here.
        password=UNUSABLE_PASSWORD_PREFIX,
        email=person.email,
        external_id=person.external_id,
        full_name=person.name,
        # A plan comes by its subscription.
        plan="free",
        referral_code=person.referral_code,
        signup_source=person.source,
        country=person.country,
        character_count=person.characters,
        demo_mode=person.is_demo,
        date_joined=person.joined,
        created_at=person.joined,
    )
