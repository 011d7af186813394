"""Allowances that staff set by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.services import anonymise_user
from audit.models import AuditEntry
from backoffice.lib import clock
from credits import selectors, services
from credits.errors import DemoCustomer, InvalidAmount, ReasonMissing, UnknownUser
from credits.models import CreditAccount, CreditTransaction
from jobs.errors import LimitExceeded
from jobs.models import RoleLimit
from tests.factories import CustomerFactory, StaffFactory, permission
from tests.threads import at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MAY = ["accounts.view_customer", "credits.adjust_allowance"]
TOKEN = "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=MAY)
    client.force_login(member)
    return member


def adjust(user, amount, actor, key="test:1"):
    return services.adjust_allowance(
        user_id=user.pk, amount=Decimal(amount), reason="Agreed on the phone", actor=actor, idempotency_key=key
    )


def amounts(user):
    return [entry.amount for entry in CreditTransaction.objects.filter(account_id=user.pk).order_by("seq")]


def test_a_first_allowance_is_granted_at_once_and_each_month_from_then(staff):
    customer = CustomerFactory()
    with clock.at(NOON):
        result = adjust(customer, 200, staff)
    account = CreditAccount.objects.get(pk=customer.pk)
    assert (result.before, result.after, result.granted) == (0, 200, 200)
    assert (account.monthly_allowance, account.next_reset_at) == (200, datetime(2026, 4, 10, 12, tzinfo=UTC))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.resource_id) == (
        "credits.adjust_allowance",
        "Agreed on the phone",
        str(customer.pk),
    )
    assert entry.old_values == {"monthly_allowance": "0"}
    assert entry.new_values == {"monthly_allowance": "200", "granted": "200"}


def test_more_grants_the_difference_and_less_waits_for_the_next_period(staff):
    customer = CustomerFactory()
    with clock.at(NOON):
        adjust(customer, 200, staff)
        adjust(customer, 250, staff, "test:2")
        adjust(customer, 100, staff, "test:3")
        # The period has granted 250 already.
        adjust(customer, 240, staff, "test:4")
        adjust(customer, 100, staff, "test:5")
    assert amounts(customer) == [200, 50]
    with clock.at(datetime(2026, 4, 10, 12, tzinfo=UTC)):
        services.reset_allowances()
    assert amounts(customer)[-1] == 100
    assert list(selectors.verify()) == []


def test_nothing_ends_it_and_the_same_again_writes_nothing(staff):
    customer = CustomerFactory()
    adjust(customer, 200, staff)
    adjust(customer, 0, staff)
    assert not adjust(customer, 0, staff).changed
    account = CreditAccount.objects.get(pk=customer.pk)
    assert (account.monthly_allowance, account.next_reset_at) == (0, None)
    assert AuditEntry.objects.count() == 2


def test_a_raise_counts_against_the_limit_of_adjustments(staff):
    from django.contrib.auth.models import Group  # noqa: PLC0415

    role = Group.objects.create(name="Careful")
    staff.groups.add(role)
    RoleLimit.objects.create(group=role, verb="credits.adjust", per_act=Decimal(100))
    customer = CustomerFactory()
    with pytest.raises(LimitExceeded):
        adjust(customer, 101, staff)
    assert not CreditTransaction.objects.exists() and not AuditEntry.objects.exists()
    adjust(customer, 100, staff)
    adjust(customer, 0, staff, "test:2")


@pytest.mark.parametrize(
    ("values", "error"),
    [({"amount": Decimal(-1)}, InvalidAmount), ({"reason": " "}, ReasonMissing), ({"user_id": 10**9}, UnknownUser)],
)
def test_what_cannot_be_is_refused(staff, values, error):
    given = {"user_id": CustomerFactory().pk, "amount": Decimal(5), "reason": "x"} | values
    with pytest.raises(error):
        services.adjust_allowance(**given, actor=staff, idempotency_key="test:1")
    with pytest.raises(DemoCustomer):
        adjust(CustomerFactory(demo_mode=True), 5, staff)


def test_the_form_shows_what_would_be_granted_and_does_it_once(client, staff):
    customer = CustomerFactory()
    page = reverse("admin:credits_allowance", args=[customer.pk])
    assert 'value="0"' in client.get(page).content.decode()
    given = {"amount": "200", "reason": "Agreed", "token": TOKEN}
    effect = client.post(page, given)
    assert [(change.label, str(change.after)) for change in effect.context["changes"]][1] == (
        "Granted at once",
        '<span class="figure">200</span>',
    )
    for _ in range(2):
        client.post(page, given | {"confirm": "yes"})
    assert amounts(customer) == [200]


@pytest.mark.parametrize("amount", ["", "-1", "1e5", "1_000", "NaN", "0.00001", "9999999999", "００", "a\x00"])
def test_bad_amounts_get_a_clear_error_and_change_nothing(client, staff, amount):
    customer = CustomerFactory()
    page = reverse("admin:credits_allowance", args=[customer.pk])
    response = client.post(page, {"amount": amount, "reason": "x", "token": TOKEN, "confirm": "yes"})
    assert response.context["form"].errors
    assert not CreditAccount.objects.exists()


def test_the_form_needs_its_permission(client):
    client.force_login(StaffFactory(permissions=["credits.adjust_credits"]))
    assert client.get(reverse("admin:credits_allowance", args=[CustomerFactory().pk])).status_code == 403


def test_an_allowance_ends_when_the_customer_is_anonymised(staff):
    customer = CustomerFactory()
    with clock.at(NOON):
        adjust(customer, 200, staff)
        anonymise_user(user_id=customer.pk, reason="Asked for", actor=staff)
    with clock.at(datetime(2026, 4, 10, 12, tzinfo=UTC)):
        services.reset_allowances()
    assert amounts(customer) == [200]
    assert CreditAccount.objects.get(pk=customer.pk).monthly_allowance == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_allowance_set_by_many_at_once_is_granted_once():
    customer, colleagues = CustomerFactory(), StaffFactory.create_batch(4)
    answers = at_once(
        [lambda who=who, n=n: adjust(customer, 200, who, f"test:{n}") for n, who in enumerate(colleagues)]
    )
    assert sorted(answer.changed for answer in answers) == [False, False, False, True]
    assert amounts(customer) == [200]


def test_a_form_that_is_sent_again_with_its_old_token_does_not_raise_without_being_counted(client):
    role = Group.objects.create(name="Small change")
    for name in MAY:
        role.permissions.add(permission(*name.split(".")))
    RoleLimit.objects.create(group=role, verb="credits.adjust", per_day=100)
    member, customer = StaffFactory(), CustomerFactory()
    member.groups.add(role)
    client.force_login(member)

    def send(amount, token):
        told = {"amount": amount, "reason": "r", "token": token, "confirm": "yes"}
        return client.post(reverse("admin:credits_allowance", args=[customer.pk]), told)

    send("1", TOKEN)
    send("0", str(uuid4()))
    # Ending an allowance begins a new period with the next one, which grants anew.
    assert "used for something else before" in send("99", TOKEN).content.decode()
    assert amounts(customer) == [1]
    send("99", str(uuid4()))
    send("0", str(uuid4()))
    assert "of which 100 credits are used" in send("1", str(uuid4())).content.decode()
    assert amounts(customer) == [1, 99]
