"""The company itself: whether it is there already, its staff and what it sells, its customers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group

from accounts.models import Customer, StaffMember
from audit import services as audit
from audit.actions import Action
from audit.models import AuditEntry
from backoffice.demo.acts import Colleague, Pack, Person
from backoffice.demo.office import ADMIN
from backoffice.demo.period import Period
from backoffice.demo.plans import SWAY, TIERS, WORTH
from billing.models import CreditPack, ExchangeRate, Plan, PlanPrice

RESOURCE = audit.Resource("backoffice.demo", "demo", "demo company")


def whats_here() -> str:
    """What keeps the story from being played: whose customers there are. Nothing if there are none."""
    if not Customer.objects.exists():
        return ""
    told = set(AuditEntry.objects.filter(action__in=(Action.DEMO_BEGUN, Action.DEMO_FINISHED)).values_list("action"))
    if (Action.DEMO_FINISHED,) in told:
        return "The demo company is here already"
    return "A demo company is here that was stopped halfway" if told else "There are customers already"


def open_company(
    *, staff: Sequence[Colleague], packs: Sequence[Pack], password: Callable[[], str], told: Mapping[str, Any]
) -> None:
    """Staff with their roles, an admin, the packs for sale, and a note in the audit log.

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
    CreditPack.objects.bulk_create(
        CreditPack(
            name=pack.name,
            credits=pack.credits,
            price_minor=pack.price_minor,
            currency=pack.currency,
            stripe_price_id=pack.price_id,
            position=position,
        )
        for position, pack in enumerate(packs, start=1)
    )


def sell_plans() -> None:
    """The plans, each with its prices."""
    plans = Plan.objects.bulk_create(
        Plan(
            key=tier.key,
            name=tier.name,
            monthly_credits=tier.credits,
            trial_credits=tier.trial,
            stripe_product_id=tier.product_id,
            position=position,
        )
        for position, tier in enumerate(TIERS.values(), start=1)
    )
    PlanPrice.objects.bulk_create(
        PlanPrice(
            plan=plan,
            stripe_price_id=TIERS[plan.key].price_id(currency, interval),
            amount_minor=minor,
            currency=currency,
            interval=interval,
        )
        for plan in plans
        for (currency, interval), minor in TIERS[plan.key].prices.items()
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
            worth[base] *= 1 + SWAY * rng.randint(-10, 10) / 10
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
