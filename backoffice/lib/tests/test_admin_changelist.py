"""Lists that page by a cursor, walked on the customers list."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.admin import CustomerAdmin
from accounts.models import CustomerFigures, User
from accounts.selectors import search
from backoffice.lib import clock
from backoffice.lib.admin import changelist
from backoffice.lib.admin.base import BackofficeModelAdmin
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")
BALANCE = "credits"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(BackofficeModelAdmin, "list_per_page", 3)


@pytest.fixture(autouse=True)
def staff(client):
    client.force_login(StaffFactory(is_superuser=True))


@pytest.fixture
def customers():
    """Eight customers, the newest first; their balances are 0, 0, 0, 5, 5, 5, 9, 9."""
    now = clock.now()
    people = [CustomerFactory(date_joined=now - timedelta(days=days)) for days in range(8)]
    for person, balance in zip(people, [0, 0, 0, 5, 5, 5, 9, 9], strict=True):
        CustomerFigures.objects.filter(user_id=person.pk).update(balance=Decimal(balance))
    return people


def load(client, address=""):
    response = client.get(LIST + address)
    assert response.status_code == 200
    return response.context["cl"]


def keys(cl):
    return [row.pk for row in cl.result_list]


def column(cl, name):
    """The place of a column in the list."""
    return cl.list_display.index(name)


def walk(client, address, direction):
    """The pages from ``address`` on, by following the links."""
    pages = []
    while address is not None:
        cl = load(client, address)
        pages.append(keys(cl))
        address = getattr(cl, direction)
    return pages


def test_next_walks_all_rows_once_and_ends_with_the_short_last_page(client, customers):
    pages = walk(client, "", "next_url")
    expected = [customer.pk for customer in customers]
    assert pages == [expected[:3], expected[3:6], expected[6:]]


def test_the_first_page_has_no_previous_and_the_last_no_next(client, customers):
    first = load(client)
    last = load(client, load(client, first.next_url).next_url)
    assert first.previous_url is None
    assert last.next_url is None


def test_previous_walks_the_same_pages_back(client, customers):
    forward = walk(client, "", "next_url")
    last = load(client, load(client, load(client).next_url).next_url)
    assert walk(client, last.previous_url, "previous_url") == [forward[1], forward[0]]


def test_going_back_to_the_top_shows_a_full_first_page(client, customers):
    second = load(client, load(client).next_url)
    CustomerFactory(date_joined=clock.now())
    backward = load(client, second.previous_url)
    assert len(keys(backward)) == 3
    assert backward.next_url


@pytest.mark.parametrize("order", [f"?o={BALANCE}", f"?o=-{BALANCE}"])
def test_ties_are_neither_skipped_nor_shown_twice(client, customers, order):
    pages = walk(client, order, "next_url")
    seen = [key for page in pages for key in page]
    ascending = [customer.pk for customer in customers]
    assert seen == (ascending if order == f"?o={BALANCE}" else ascending[::-1])


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("cursor", ["x", "", "%01", "W10:abc", "🙈", "a" * 5000])
def test_a_garbage_cursor_shows_the_first_page(client, customers, name, cursor):
    assert keys(load(client, f"?{name}={cursor}")) == [customer.pk for customer in customers[:3]]


def test_a_cursor_that_was_changed_by_hand_shows_the_first_page(client, customers):
    address = load(client).next_url
    assert keys(load(client, address[:-3])) == keys(load(client))


def test_a_cursor_of_another_order_shows_the_first_page(client, customers):
    by_balance = load(client, f"?o={BALANCE}").next_url
    cursor = by_balance.partition("after=")[2].partition("&")[0]
    assert keys(load(client, f"?o=-{BALANCE}&after={cursor}")) == keys(load(client, f"?o=-{BALANCE}"))


def test_links_to_another_order_or_filter_leave_the_cursor_behind(client, customers):
    second = load(client, load(client).next_url)
    assert "after" not in second.sort_url(column(second, BALANCE))
    assert "after" not in second.get_query_string({"status": "active"})


def test_a_column_is_sorted_from_the_top_and_then_the_other_way(client, customers):
    first = load(client)
    place = column(first, BALANCE)
    assert first.sort_url(place) == f"?o=-{BALANCE}"
    assert load(client, f"?o=-{BALANCE}").sort_url(place) == f"?o={BALANCE}"
    assert first.get_ordering_field_columns() == {column(first, "joined"): "desc"}


@pytest.mark.parametrize("order", ["0", "-1", "-", "x", "person", "-password", "credits.spend", "--credits", "pk"])
def test_an_order_that_is_not_offered_falls_back_on_the_usual_one(client, customers, order):
    assert keys(load(client, f"?o={order}")) == [customer.pk for customer in customers[:3]]


def test_a_page_skips_no_rows_and_counts_no_table(client, customers, django_assert_num_queries):
    address = load(client).next_url
    with django_assert_num_queries(11) as queries:
        load(client, address)
    statements = [query["sql"] for query in queries.captured_queries]
    assert not any("OFFSET" in statement for statement in statements)
    counts = [statement for statement in statements if "COUNT(" in statement and "accounts_user" in statement]
    assert len(counts) == 1
    assert "LIMIT 1001" in counts[0]
    page = next(statement for statement in statements if "ROW(" in statement)
    assert 'INNER JOIN "accounts_customerfigures"' in page


def test_the_count_is_exact_up_to_a_limit(client, customers, monkeypatch):
    monkeypatch.setattr(changelist, "EXACT_COUNT_LIMIT", 8)
    assert load(client).result_count_text == "8"
    CustomerFactory()
    assert load(client).result_count_text == "8+"


def test_chips_name_what_narrows_the_list_and_lead_to_it_without(client, customers):
    cl = load(client, "?status=active&q=customer&o=credits&figures__joined_from=2020-01-01")
    assert [(chip.label, chip.value) for chip in cl.chips] == [
        ("Search", "customer"),
        ("status", "Active"),
        ("joined", "2020-01-01 to …"),
    ]
    assert cl.chips[1].remove_url == "?figures__joined_from=2020-01-01&o=credits&q=customer"
    assert cl.clear_all_url == "?o=credits"
    assert cl.active_filter_count == 2


def test_a_lookup_that_a_link_brought_along_has_a_chip(client, customers):
    ledger = reverse("admin:credits_credittransaction_changelist")
    cl = client.get(f"{ledger}?account__exact=7").context["cl"]
    assert [(chip.label, chip.value, chip.remove_url) for chip in cl.chips] == [("account", "7", "?")]


def test_days_of_a_range_are_both_included(client, customers):
    day = customers[2].date_joined.date()
    cl = load(client, f"?figures__joined_from={day}&figures__joined_to={day}")
    assert keys(cl) == [customers[2].pk]


@pytest.mark.parametrize(
    "address", ["?figures__joined_from=yesterday", "?figures__joined_to=9999-12-31", "?nonsense=1"]
)
def test_a_parameter_that_makes_no_sense_leads_back_to_the_list(client, customers, address):
    response = client.get(LIST + address)
    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")


def test_figures_stand_right_aligned_under_their_heads(client, customers):
    page = client.get(LIST).content.decode()
    assert page.count('<td class="numeric field-spend">') == 3
    assert page.count("data-numeric") == 3


class TestActing:
    """The stock "select all": an action is given what the whole list holds, and nobody counts it."""

    @pytest.fixture
    def acted_on(self, monkeypatch):
        given = []

        @admin.action(description="Note")
        def note(modeladmin, request, queryset):
            given.append({customer.pk for customer in queryset})

        monkeypatch.setattr(CustomerAdmin, "actions", [note])
        return given

    @staticmethod
    def act(client, address, chosen, *, across, expected=302):
        data = {"action": "note", "index": "0", "select_across": str(int(across)), "_selected_action": chosen}
        assert client.post(LIST + address, data).status_code == expected

    def test_rows_that_were_ticked_are_acted_on(self, client, customers, acted_on):
        chosen = [customers[0].pk, customers[2].pk]
        self.act(client, "", chosen, across=False)
        assert acted_on == [set(chosen)]

    @pytest.mark.parametrize("address", ["", "?after={cursor}", "?o=-credits", "?q=customer", "?q=customer&o=spend"])
    def test_all_pages_are_acted_on_from_whichever_page(self, client, customers, acted_on, address):
        cursor = load(client).next_url.partition("after=")[2]
        self.act(client, address.format(cursor=cursor), [customers[0].pk], across=True)
        assert acted_on == [{customer.pk for customer in customers}]

    def test_filters_and_search_narrow_what_is_acted_on(self, client, customers, acted_on):
        User.objects.filter(pk__in=[customer.pk for customer in customers[:5]]).update(plan="pro")
        self.act(client, "?plan=pro", [customers[0].pk], across=True)
        self.act(client, f"?plan=pro&q={customers[1].email}", [customers[1].pk], across=True)
        assert acted_on == [{customer.pk for customer in customers[:5]}, {customers[1].pk}]

    def test_a_word_that_fits_very_many_is_acted_on_whole(self, client, customers, acted_on, monkeypatch):
        monkeypatch.setattr(search, "FEW", 2)
        self.act(client, "?q=customer", [customers[0].pk], across=True)
        assert acted_on == [{customer.pk for customer in customers}]

    def test_a_search_that_cannot_be_done_acts_on_nobody(self, client, customers, acted_on):
        self.act(client, "?q=ab", [customers[0].pk], across=True)
        assert acted_on == [set()]

    def test_a_row_that_the_filters_leave_out_is_not_acted_on(self, client, customers, acted_on):
        self.act(client, "?plan=pro", [customers[0].pk], across=False)
        assert acted_on == [set()]

    def test_nobody_counts_the_table(self, client, customers, acted_on, django_assert_num_queries):
        with django_assert_num_queries(16) as queries:
            self.act(client, "", [customers[0].pk], across=True)
        counts = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"]]
        assert counts
        assert all("LIMIT" in count for count in counts)

    def test_the_page_offers_all_pages_only_when_there_are_more(self, client, customers, acted_on):
        assert "Select all 8" in client.get(LIST).content.decode()
        assert "Select the rows of all pages" not in client.get(f"{LIST}?q={customers[0].email}").content.decode()
