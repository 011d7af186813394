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


def newest_first():
    return Customer.objects.order_by("-figures__joined", "-figures__user")


def newest_first_narrow():
    return selectors.words_by_joining()


def first(text, rows, limit):
    """Where the addresses of the first finds begin, in the order given."""
    found, is_certain = selectors.search_for(text).first(rows, limit=limit)
    known = {customer.pk: customer.email for customer in Customer.objects.filter(pk__in=found)}
    return [known[pk][:2] for pk in found], is_certain


@pytest.mark.parametrize("newest", [newest_first, newest_first_narrow])
class TestCommonWords:
    """Of more finds than are fetched by their ids, the list's own order is walked, or some are sorted."""

    @pytest.fixture(autouse=True)
    def customers(self, monkeypatch):
        monkeypatch.setattr(search, "FEW", 2)
        for number in range(12):
            CustomerFactory(email=f"{number:02}@example.com", full_name="Common", plan="pro" if number % 2 else "free")

    @pytest.fixture
    def short_walk(self, monkeypatch):
        """A walk that ends among five customers who do not fit."""
        monkeypatch.setattr(search, "WALKED", 4)
        monkeypatch.setattr(search, "WALKED_NARROW", 4)
        for number in range(5):
            CustomerFactory(email=f"new{number}@example.com", full_name="Someone")

    def test_a_page_is_filled_by_walking(self, newest):
        rows = newest()
        with CaptureQueriesContext(connection) as queries:
            assert first("common", rows, 3) == (["11", "10", "09"], True)
        walk = next(query["sql"] for query in queries if "ts_match_vq" in query["sql"])
        assert "@@" not in walk
        assert ("accounts_user" in walk) == (newest is newest_first)

    def test_what_the_walk_does_not_reach_is_sorted(self, newest, short_walk):
        assert first("common", newest(), 3) == (["11", "10", "09"], True)

    def test_of_too_many_only_some_are_sorted_and_it_says_so(self, newest, short_walk, monkeypatch):
        monkeypatch.setattr(search, "SORTED", 5)
        found, is_certain = first("common", newest(), 3)
        assert (len(found), is_certain) == (3, False)

    def test_a_walk_to_the_end_is_certain_however_many_there_are(self, newest, monkeypatch):
        monkeypatch.setattr(search, "SORTED", 5)
        assert first("common", newest(), 50) == ([f"{number:02}" for number in range(11, -1, -1)], True)

    def test_short_words_narrow_a_common_one(self, newest):
        CustomerFactory(email="zz@example.com", full_name="Common Xy")
        assert first("common xy", newest(), 5) == (["zz"], True)
        assert selectors.search_for("common xy").few is not None

    def test_staff_do_not_fill_a_page(self, newest):
        StaffFactory.create_batch(3, full_name="Common")
        assert first("common", newest(), 3) == (["11", "10", "09"], True)
        User.objects.filter(email="11@example.com").update(is_staff=True)
        assert first("common", newest(), 2) == (["10", "09"], True)


class TestCommonWordsInTheList:
    @pytest.fixture(autouse=True)
    def customers(self, monkeypatch, client):
        monkeypatch.setattr(search, "FEW", 2)
        for number in range(12):
            CustomerFactory(email=f"{number:02}@example.com", full_name="Common", plan="pro" if number % 2 else "free")
        client.force_login(StaffFactory(permissions=["accounts.view_customer"]))

    @pytest.mark.parametrize("order", ["", "&o=joined", "&o=-joined", "&o=-spend", "&o=last_active", "&o=credits"])
    @pytest.mark.parametrize("walked", [1, 4, 100])
    def test_pages_lead_through_all_finds_once_and_back(self, client, monkeypatch, order, walked):
        monkeypatch.setattr(search, "WALKED", walked)
        monkeypatch.setattr(search, "WALKED_NARROW", walked)
        monkeypatch.setattr("accounts.admin.customers.CustomerAdmin.list_per_page", 5)
        StaffFactory.create_batch(3, full_name="Common")
        pages, address = [], f"{LIST}?q=common{order}"
        while address:
            changelist = client.get(address).context["cl"]
            assert changelist.result_count_text == "1,000+"
            pages.append([row.email[:2] for row in changelist.result_list])
            last, address = changelist, changelist.next_url and LIST + changelist.next_url
        everybody = [email for page in pages for email in page]
        assert sorted(everybody) == [f"{number:02}" for number in range(12)]
        if not order or order.endswith("joined"):
            assert everybody == sorted(everybody, reverse="o=joined" not in order)
        assert [row.email[:2] for row in client.get(LIST + last.previous_url).context["cl"].result_list] == pages[-2]

    def test_a_page_of_some_says_so(self, client, monkeypatch):
        for name, value in [("WALKED", 4), ("WALKED_NARROW", 4), ("SORTED", 5)]:
            monkeypatch.setattr(search, name, value)
        CustomerFactory.create_batch(5, full_name="Someone")
        assert "Add a word or a filter" in client.get(LIST, {"q": "common"}).content.decode()

    def test_few_finds_are_counted_without_staff(self, client, monkeypatch):
        monkeypatch.setattr(search, "FEW", 1_000)
        StaffFactory.create_batch(3, full_name="Common")
        assert client.get(LIST, {"q": "common"}).context["cl"].result_count_text == "12"

    def test_filters_narrow_a_common_word(self, client, monkeypatch):
        changelist = client.get(LIST, {"q": "common", "plan": "pro"}).context["cl"]
        assert [row.email[:2] for row in changelist.result_list] == ["11", "09", "07", "05", "03", "01"]
        assert changelist.result_count_text == "6"
        monkeypatch.setattr("accounts.admin.customers.CustomerAdmin.list_per_page", 4)
        assert client.get(LIST, {"q": "common", "plan": "pro"}).context["cl"].result_count_text == "4+"

    def test_all_finds_are_there_to_act_on(self):
        assert len(found("common")) == 12
        assert selectors.search_for("common").among(Customer.objects.filter(figures__plan="pro")).count() == 6
