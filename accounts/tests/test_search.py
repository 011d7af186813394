"""Search finds customers by exact ids, else by the beginnings of words, and its work is bounded."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import selectors
from accounts.models import Customer, CustomerSearch, User
from accounts.selectors import search
from credits import selectors as ledger
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")


def found(text):
    return {customer.email for customer in selectors.search_for(text).among(Customer.objects.all())}


@pytest.fixture
def ada():
    return CustomerFactory(
        email="Ada.Byron@Example.com",
        full_name="Ada King-Noël",
        external_id="u_4711-A",
        stripe_customer_id="cus_NffrFeUfNV2Hib",
    )


@pytest.fixture
def others(ada):
    """Whoever a search that is too generous would find as well."""
    CustomerFactory(email="bob@other.org", full_name="Bob Adams", external_id="u_47", stripe_customer_id="cus_XYZ")
    CustomerFactory(email="carol@other.org", full_name="", external_id=None, stripe_customer_id=None)


@pytest.mark.parametrize(
    "text",
    [
        "Ada.Byron@Example.com",
        "ada.byron@EXAMPLE.COM",
        "  ada.byron@example.com  ",
        "u_4711-A",
        "cus_NffrFeUfNV2Hib",
        "byron",
        "BYRON",
        "byr",
        "ada.byr",
        "ada@",
        "king",
        "noël",
        "NOËL",
        "noel",
        "noe\u0308l",
        "king-noël",
        "noël king",
        "king ada",
        "ada, king!",
        "ada k",
        "k ada",
        "4711",
        "u_4711",
        "U_4711-a",
        "cus_nffr",
        "NffrFe",
        "nffrfeufnv2hib",
        "exam ada",
        "ａｄａ.byr",
    ],
)
def test_what_finds_a_customer(ada, others, text):
    assert ada.email in found(text)


@pytest.mark.parametrize("text", ["da", "yron", "ada bob", "noell", "4711x", "711", "ada x", "adas", "king ada bob"])
def test_what_does_not_find_a_customer(ada, others, text):
    assert ada.email not in found(text)


def test_an_exact_id_finds_that_customer_alone(ada, others):
    named = CustomerFactory(full_name="u_4711-A bob@other.org")
    assert found(str(ada.pk)) == {ada.email}
    assert found("u_47") == found("bob@other.org") == {"bob@other.org"}
    assert found("u_4711-a bob") == {named.email}


@pytest.mark.parametrize("text", ["%", "___", "%%%", "ada%", "a_a", "*", "ada*", "?da", "^ada$", "[a-z]da"])
def test_nothing_is_a_wildcard(ada, others, text):
    assert found(text) == ({ada.email, "bob@other.org"} if "ada" in text else set())


ADA, BOB = "Ada.Byron@Example.com", "bob@other.org"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada & bob", {BOB}),
        ("ada | bob", {BOB}),
        ("ada <-> king", {ADA}),
        ("king <-> ada", {ADA}),
        ("!king", {ADA}),
        ("king:*", {ADA}),
        ("king:ab", set()),
        ("(king", {ADA}),
        ("king)", {ADA}),
        ("'king'", {ADA}),
        ('"king"', {ADA}),
        ("king\\", {ADA}),
        ("\\'king", {ADA}),
        ("$$king$$", {ADA}),
        ("{ada,king}", {ADA}),
        ("ada\x00king", {ADA}),
        ("\u202eking", {ADA}),
        ("king 😀", {ADA}),
        ("'; drop table accounts_user; --", set()),
        ("'''", set()),
        ("a'-b", set()),
        ("a\\-b", set()),
        ("NULL", set()),
        ("%s %(x)s {head}", set()),
        ("😀😀😀", set()),
        ("ﷺ" * 200, set()),
        ("a" * 5000, set()),
        (" ".join(f"w{number}" for number in range(40)), set()),
    ],
)
def test_operators_quotes_and_odd_characters_are_only_characters(ada, others, text, expected):
    assert found(text) == expected


@pytest.mark.parametrize("script", ["Юлия Ковалёва", "Łukasz Żółć", "Ελένη", "가나다라 마바사", "さくらい", "Straße"])
def test_names_in_any_script_are_found_by_their_beginnings_in_any_case(script):
    person = CustomerFactory(full_name=script)
    for text in (script, script.lower(), script.upper() if script != "Straße" else script, script[:3]):
        assert found(text) == {person.email}, text


@pytest.mark.parametrize("text", ["a", "ab", "a b", "é", "1_", "😀", "-"])
def test_fewer_than_three_characters_are_asked_for_more(client, ada, text):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    html = client.get(LIST, {"q": text}).content.decode()
    assert "Type at least 3 letters of a word</h2>" in html
    assert "No customers match" not in html
    assert "ada.byron" not in html.lower()


def test_a_search_beyond_all_measure_is_told_so(client, ada):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert "Search for at most 200 characters</h2>" in client.get(LIST, {"q": "ada " * 60}).content.decode()


def test_an_id_of_short_parts_is_found_as_a_whole():
    person = CustomerFactory(external_id="A-1-B-2")
    assert found("a-1-b") == {person.email}
    assert found("a-1-c") == set()


def test_staff_are_never_found():
    StaffFactory(email="grace@example.com", full_name="Grace Hopper")
    assert found("grace@example.com") == found("hopper") == set()


def test_the_words_follow_the_person_whoever_changes_the_row(ada):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET full_name = 'Augusta' WHERE id = %s", [ada.pk])
    assert found("augusta") == {ada.email}
    assert found("king") == set()
    User.objects.filter(pk=ada.pk).update(email="lovelace@example.com", external_id=None, stripe_customer_id="cus_9")
    assert found("lovelace") == found("cus_9") == {"lovelace@example.com"}
    assert found("byron") == found("4711") == set()
    User.objects.bulk_create(User(email=f"many{n}@example.com", referral_code=f"m{n}") for n in range(3))
    assert len(found("many")) == 3
    ada.delete()
    assert not CustomerSearch.objects.filter(pk=ada.pk).exists()


def test_activity_and_money_leave_the_words_alone(ada):
    row = "SELECT ctid::text FROM accounts_customersearch WHERE user_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(row, [ada.pk])
        before = cursor.fetchone()
        cursor.execute("UPDATE accounts_user SET last_active_at = now(), plan = 'pro' WHERE id = %s", [ada.pk])
        ada.save()
        cursor.execute(row, [ada.pk])
        assert cursor.fetchone() == before


def test_the_proof_of_the_ledger_tells_whose_words_are_not_theirs(ada, others):
    assert list(ledger.verify()) == []
    CustomerSearch.objects.filter(pk=ada.pk).update(document="")
    CustomerSearch.objects.exclude(pk=ada.pk).delete()
    faults = {fault.rule: fault for fault in ledger.verify()}
    assert list(faults) == ["each person is found by their own words"]


class TestCommonWords:
    """Of more finds than are fetched by their ids, the list's own order is walked, or some are sorted."""

    @pytest.fixture(autouse=True)
    def customers(self, monkeypatch):
        monkeypatch.setattr(search, "FEW", 2)
        for number in range(12):
            CustomerFactory(email=f"{number:02}@example.com", full_name="Common", plan="pro" if number % 2 else "free")

    @staticmethod
    def first(limit, order="-figures__joined", text="common"):
        customers = Customer.objects.order_by(order, "-figures__user")
        rows, is_certain = selectors.search_for(text).first(customers, limit=limit)
        return [row.email[:2] for row in rows], is_certain

    def test_a_page_is_filled_by_walking(self):
        with CaptureQueriesContext(connection) as queries:
            assert self.first(3) == (["11", "10", "09"], True)
        assert "@@" not in queries[-1]["sql"]

    def test_walking_goes_both_ways(self):
        assert self.first(3, "figures__joined") == (["00", "01", "02"], True)

    def test_what_the_walk_does_not_reach_is_sorted(self, monkeypatch):
        monkeypatch.setattr(search, "WALKED", 4)
        for number in range(5):
            CustomerFactory(email=f"new{number}@example.com", full_name="Someone")
        assert self.first(3) == (["11", "10", "09"], True)

    def test_of_too_many_only_some_are_sorted_and_it_says_so(self, client, monkeypatch):
        monkeypatch.setattr(search, "WALKED", 4)
        monkeypatch.setattr(search, "SORTED", 5)
        for number in range(5):
            CustomerFactory(email=f"new{number}@example.com", full_name="Someone")
        rows, is_certain = self.first(3)
        assert (len(rows), is_certain) == (3, False)
        client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
        assert "Add a word or a filter" in client.get(LIST, {"q": "common"}).content.decode()

    def test_a_walk_to_the_end_is_certain_however_many_there_are(self, monkeypatch):
        monkeypatch.setattr(search, "SORTED", 5)
        assert self.first(50) == ([f"{number:02}" for number in range(11, -1, -1)], True)

    def test_short_words_narrow_a_common_one(self):
        CustomerFactory(email="zz@example.com", full_name="Common Xy")
        assert self.first(5, text="common xy") == (["zz"], True)
        assert selectors.search_for("common xy").few is not None

    def test_pages_lead_through_all_finds_once_in_order(self, client, monkeypatch):
        monkeypatch.setattr(search, "WALKED", 4)
        monkeypatch.setattr("accounts.admin.customers.CustomerAdmin.list_per_page", 5)
        client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
        seen, address = [], f"{LIST}?q=common"
        while address:
            changelist = client.get(address).context["cl"]
            assert changelist.result_count_text == "1,000+"
            seen += [row.email[:2] for row in changelist.result_list]
            address = changelist.next_url and LIST + changelist.next_url
        assert seen == [f"{number:02}" for number in range(11, -1, -1)]

    def test_filters_narrow_a_common_word(self, client, monkeypatch):
        client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
        changelist = client.get(LIST, {"q": "common", "plan": "pro"}).context["cl"]
        assert [row.email[:2] for row in changelist.result_list] == ["11", "09", "07", "05", "03", "01"]
        assert changelist.result_count_text == "6"
        monkeypatch.setattr("accounts.admin.customers.CustomerAdmin.list_per_page", 4)
        assert client.get(LIST, {"q": "common", "plan": "pro"}).context["cl"].result_count_text == "4+"

    def test_all_finds_are_there_to_act_on(self, client):
        assert len(found("common")) == 12
        assert selectors.search_for("common").among(Customer.objects.filter(figures__plan="pro")).count() == 6

    def test_one_sort_column_is_as_good_as_another(self):
        for column in ("spend_minor", "total_generations", "last_active_at", "joined"):
            assert len(self.first(3, f"figures__{column}")[0]) == 3
        customers = Customer.objects.order_by("balance_row__balance", "balance_row__user")
        assert len(selectors.search_for("common").first(customers, limit=3)[0]) == 3
