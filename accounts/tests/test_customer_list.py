"""What the customers list shows: cards from totals, columns of its own and of other apps, small buttons."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.html import format_html

from accounts import services, tasks
from accounts.models import CustomerFigures, CustomerTotals
from backoffice.lib import clock, registry
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")
SEE = "accounts.view_customer"


def sign_in(client, *permissions):
    member = StaffFactory(permissions=[SEE, *permissions])
    client.force_login(member)
    return member


def html_of(client, address=LIST):
    return " ".join(client.get(address).content.decode().split())


def figures(customer, **values):
    CustomerFigures.objects.filter(user_id=customer.pk).update(**values)


@pytest.fixture
def company():
    now = clock.now()
    for days, balance, spend in [(1, 10, 900), (29, 20, 0), (40, 30, -100), (50, 60, 100), (400, 0, 0)]:
        figures(CustomerFactory(date_joined=now - timedelta(days=days)), balance=Decimal(balance), spend_minor=spend)
    figures(CustomerFactory(demo_mode=True), balance=Decimal(999), spend_minor=999)
    figures(StaffFactory(), balance=Decimal(999), spend_minor=999)
    services.count_customers()


def test_the_totals_count_customers_and_neither_staff_nor_demo(company):
    totals = CustomerTotals.objects.get()
    assert (totals.customers, totals.joined_lately, totals.joined_before, totals.paying) == (5, 2, 2, 2)
    assert (totals.average_balance, totals.spend_minor) == (24, 900)


def test_counting_again_takes_the_place_of_the_last_count(company):
    CustomerFactory()
    later = clock.now() + timedelta(minutes=5)
    with clock.at(later):
        tasks.count_customers()
    totals = CustomerTotals.objects.get()
    assert (totals.customers, totals.counted_at) == (6, later)


def test_nobody_at_all_adds_up_to_nothing():
    services.count_customers()
    totals = CustomerTotals.objects.get()
    assert (totals.customers, totals.average_balance, totals.spend_minor) == (0, 0, 0)


def test_the_cards_say_what_was_counted_and_when(client, company):
    sign_in(client, "billing.view_payment")
    html = html_of(client)
    for label, value, note in [
        ("Customers", "5", "2 new in 30 days, +0% against the 30 before"),
        ("Paying", "2", "40.0% of all"),
        ("Average credits", "24", None),
        ("Revenue", "$9.00", "less refunds and disputes, before fees"),
    ]:
        card = html.partition(f"<dt>{label}</dt>")[2].partition("</dd>")[0]
        assert f">{value}</span>" in card, label
        assert note is None or f"<small>{note}</small>" in card, label
    assert "As of <time" in html


def test_revenue_is_for_whoever_may_see_payments(client, company):
    sign_in(client)
    html = html_of(client)
    assert "<dt>Customers</dt>" in html
    assert "<dt>Revenue</dt>" not in html


def test_before_the_first_count_the_cards_say_so(client):
    sign_in(client)
    html = html_of(client)
    assert "not counted yet" in html
    assert "As of" not in html


@pytest.mark.parametrize(
    ("permissions", "buttons"),
    [
        ([], []),
        (["credits.gift_credits"], ["gift/{}/?amount=10"]),
        (["credits.gift_credits", "credits.adjust_credits"], ["gift/{}/?amount=10", "adjust/{}/?amount=-10"]),
    ],
)
def test_small_buttons_follow_the_permissions_and_open_a_form_with_the_amount(client, permissions, buttons):
    customer = CustomerFactory(full_name="<b>x</b>")
    sign_in(client, *permissions)
    html = html_of(client)
    for form in ("gift/{}/?amount=10", "adjust/{}/?amount=-10"):
        address = "/admin/credits/credittransaction/" + form.format(customer.pk)
        assert (f'href="{address}"' in html) == (form in buttons)
        if form in buttons:
            form_page = client.get(address)
            assert form_page.context["form"]["amount"].value() == address.partition("=")[2]
    assert ("row-actions" in html) == bool(permissions)


@pytest.mark.parametrize("amount", ["abc", '"><script>alert(1)</script>', "9" * 500])
def test_an_amount_in_the_address_is_only_what_the_form_starts_with(client, amount):
    customer = CustomerFactory()
    sign_in(client, "credits.gift_credits")
    response = client.get(reverse("admin:credits_gift", args=[customer.pk]), {"amount": amount})
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_roles_are_customer_or_demo(client):
    CustomerFactory(demo_mode=True)
    CustomerFactory()
    sign_in(client)
    html = html_of(client)
    assert html.count('<td class="field-role">Customer</td>') == 1
    assert html.count('<td class="field-role"><span class="badge mute">Demo</span></td>') == 1


class TestColumnsOfOtherApps:
    @pytest.fixture
    def offered(self, monkeypatch):
        """A column that notes what it was asked for."""
        asked = []

        def load(customers):
            asked.append([customer.pk for customer in customers])
            return {customer.pk: format_html("<i>{}</i>", customer.full_name) for customer in customers[:1]}

        columns = registry.Registry("customer columns")
        columns.register(
            registry.CustomerColumn(key="tags", label="Tags", permission="audit.view_auditentry", load=load)
        )
        monkeypatch.setattr(registry, "customer_columns", columns)
        return asked

    def test_cells_are_loaded_once_a_page(self, client, offered):
        CustomerFactory.create_batch(3, full_name="<script>x</script>")
        sign_in(client, "audit.view_auditentry")
        html = html_of(client)
        assert [len(customers) for customers in offered] == [3]
        assert html.count('<td class="field-tags"><i>&lt;script&gt;x&lt;/script&gt;</i></td>') == 1
        assert html.count('<td class="field-tags"><span class="absent">—</span></td>') == 2

    def test_without_the_permission_nothing_is_loaded(self, client, offered):
        CustomerFactory()
        sign_in(client)
        assert "field-tags" not in html_of(client)
        assert offered == []

    def test_a_column_that_fails_leaves_the_list_standing(self, client, monkeypatch):
        columns = registry.Registry("customer columns")
        columns.register(registry.CustomerColumn(key="bad", label="Bad", permission=SEE, load=lambda rows: 1 / 0))
        monkeypatch.setattr(registry, "customer_columns", columns)
        CustomerFactory()
        sign_in(client)
        assert 'title="ZeroDivisionError"' in html_of(client)
