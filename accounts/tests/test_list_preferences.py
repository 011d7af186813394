"""What lists remember of their readers: columns, saved filters, and what they open with."""

from functools import partial

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.errors import FilterNameTaken
from accounts.models import Customer, ListPreference, SavedFilter
from accounts.services import preferences
from audit.models import AuditEntry
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")
KEY = "accounts.customer"
COLUMNS = reverse("list-columns", args=[KEY])
FILTERS = reverse("list-filters", args=[KEY])
SEE, SHARE = "accounts.view_customer", "accounts.share_savedfilter"


def sign_in(client, *permissions):
    member = StaffFactory(permissions=[SEE, *permissions])
    client.force_login(member)
    return member


def one(saved):
    return reverse("list-filter", args=[KEY, saved.pk])


def save(client, name="Pro", query="plan=pro", **more):
    return client.post(FILTERS, {"name": name, "query": query, **more})


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def shown(client, query="?all="):
    return [column if isinstance(column, str) else column.__name__ for column in changelist(client, query).list_display]


def changelist(client, query="?all="):
    return client.get(LIST + query).context["cl"]


def tabs(client, query="?all="):
    return [(tab.label, tab.is_current, tab.is_first) for tab in changelist(client, query).tabs]


class TestColumns:
    def test_the_chosen_columns_are_shown_to_who_chose_them_alone(self, client):
        CustomerFactory()
        me = sign_in(client)
        before = shown(client)
        response = client.post(COLUMNS, {"columns": ["spend", "product_id"], "query": "plan=pro&o=-spend"})
        assert response["Location"] == f"{LIST}?plan=pro&o=-spend"
        assert shown(client) == ["person", "spend", "product_id"]
        sign_in(client)
        assert shown(client) == before
        client.force_login(me)
        client.post(COLUMNS, {"reset": "yes", "columns": ["spend"]})
        assert shown(client) == before

    def test_the_column_that_leads_to_the_record_stays(self, client):
        CustomerFactory()
        sign_in(client)
        client.post(COLUMNS, {"columns": []})
        assert shown(client) == ["person"]

    def test_all_columns_can_be_shown_and_cost_no_query_each(self, client, django_assert_num_queries):
        CustomerFactory.create_batch(10)
        sign_in(client)
        client.post(COLUMNS, {"columns": [choice.key for choice in changelist(client).column_choices]})
        with django_assert_num_queries(13):
            assert len(shown(client)) == 14

    @pytest.mark.parametrize("column", ["password", "is_superuser", "user_permissions", "pk", "x" * 500, "delete", ""])
    def test_nothing_but_a_column_of_the_list_can_be_chosen(self, client, column):
        CustomerFactory()
        sign_in(client)
        client.post(COLUMNS, {"columns": [column, "spend"]})
        assert shown(client) == ["person", "spend"]
        assert ListPreference.objects.get().columns == ["spend"]

    def test_a_column_whose_permission_was_taken_away_is_not_there_any_more(self, client):
        CustomerFactory()
        member = sign_in(client, "credits.gift_credits")
        client.post(COLUMNS, {"columns": ["row_actions"]})
        assert shown(client) == ["action_checkbox", "person", "row_actions"]
        member.user_permissions.remove(*member.user_permissions.filter(codename="gift_credits"))
        assert shown(client) == ["person"]

    def test_a_list_can_be_sorted_by_a_column_that_is_not_shown(self, client):
        sign_in(client)
        client.post(COLUMNS, {"columns": []})
        assert changelist(client, "?o=-spend").keyset.column == "figures__spend_minor"


class TestSavedFilters:
    def test_what_a_list_shows_is_saved_and_opened_again(self, client):
        CustomerFactory(email="pro@example.com", plan="pro")
        CustomerFactory(email="free@example.com", plan="free")
        sign_in(client)
        assert changelist(client, "?plan=pro&o=-spend&after=x").query_to_save == "o=-spend&plan=pro"
        response = save(client, "Big pros", "plan=pro&o=-spend&after=x&all=")
        assert response["Location"] == f"{LIST}?o=-spend&plan=pro"
        found = client.get(response["Location"]).context["cl"]
        assert [customer.email for customer in found.result_list] == ["pro@example.com"]
        assert [(tab.label, tab.is_current) for tab in found.tabs] == [("All", False), ("Big pros", True)]
        assert found.current_tab.label == "Big pros"

    def test_ones_own_filters_are_nobody_elses(self, client):
        sign_in(client)
        save(client)
        saved = SavedFilter.objects.get()
        sign_in(client, SHARE)
        assert tabs(client) == [("All", True, True)]
        for act in ("delete", "first", "change"):
            assert client.post(one(saved), {"act": act, "name": "Mine"}).status_code == 404
        assert SavedFilter.objects.get().name == "Pro"
        assert not ListPreference.objects.exists()

    def test_a_shared_filter_is_everybodys_who_sees_the_list(self, client):
        owner = sign_in(client, SHARE)
        save(client, is_shared="on")
        saved = SavedFilter.objects.get()
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor) == ("accounts.share_filter", owner)
        assert entry.new_values == {"list": KEY, "shared": True, "owner": owner.pk}
        sign_in(client)
        assert tabs(client) == [("All", True, True), ("Pro", False, False)]
        assert client.post(one(saved), {"name": "Mine"}).status_code == 404
        assert client.post(one(saved), {"act": "delete"}).status_code == 404
        assert "whoever may share filters can change it" in client.get(f"{LIST}?plan=pro").content.decode()
        other = sign_in(client, SHARE)
        client.post(one(saved), {"name": "All pros", "is_shared": "on"})
        assert SavedFilter.objects.get().name == "All pros"
        client.post(one(saved), {"act": "delete"})
        assert not SavedFilter.objects.exists()
        assert [(entry.action, entry.actor) for entry in AuditEntry.objects.order_by("pk")[1:]] == [
            ("accounts.change_shared_filter", other),
            ("accounts.delete_shared_filter", other),
        ]

    def test_neither_name_nor_search_of_a_shared_filter_is_kept_for_ever(self, client):
        sign_in(client, SHARE)
        save(client, name="Ada Byron", query="q=ada@example.com", is_shared="on")
        client.post(one(SavedFilter.objects.get()), {"name": "Augusta", "is_shared": "on"})
        client.post(one(SavedFilter.objects.get()), {"act": "delete"})
        for entry in AuditEntry.objects.all():
            text = f"{entry.resource_label} {entry.old_values} {entry.new_values} {entry.reason}"
            assert not any(word in text.lower() for word in ("ada", "byron", "augusta"))

    def test_sharing_needs_its_permission(self, client):
        sign_in(client)
        assert told(save(client, is_shared="on")) == ["You may not share filters with everybody: save it for yourself."]
        save(client)
        saved = SavedFilter.objects.get()
        client.post(one(saved), {"name": "Pro", "is_shared": "on"})
        assert not SavedFilter.objects.get().is_shared
        assert not AuditEntry.objects.exists()
        assert 'name="is_shared"' not in client.get(f"{LIST}?plan=pro").content.decode()

    def test_who_may_not_share_any_more_can_still_rename_and_unshare(self, client):
        me = sign_in(client, SHARE)
        save(client, is_shared="on")
        me.user_permissions.remove(*me.user_permissions.filter(codename="share_savedfilter"))
        saved = SavedFilter.objects.get()
        client.post(one(saved), {"name": "Pros", "is_shared": "on"})
        client.post(one(saved), {"name": "Pros"})
        saved.refresh_from_db()
        assert (saved.name, saved.is_shared) == ("Pros", False)

    def test_the_list_opens_with_what_was_chosen_and_whole_when_asked(self, client):
        sign_in(client)
        save(client)
        saved = SavedFilter.objects.get()
        client.post(one(saved), {"act": "first"})
        assert client.get(LIST)["Location"] == f"{LIST}?plan=pro"
        assert tabs(client) == [("All", True, False), ("Pro", False, True)]
        response = client.get(f"{LIST}?plan=pro")
        assert "Open the list whole" in response.content.decode()
        opened = response.context["cl"]
        assert opened.tabs[0].url == "?all="
        assert opened.chips[0].remove_url == opened.clear_all_url == "?all="
        client.post(one(saved), {"act": "not-first"})
        assert client.get(LIST).status_code == 200
        assert changelist(client, "?plan=pro").clear_all_url == "?"

    def test_a_first_filter_that_is_gone_leaves_the_list_whole(self, client):
        owner = sign_in(client, SHARE)
        save(client, is_shared="on")
        saved = SavedFilter.objects.get()
        me = sign_in(client)
        client.post(one(saved), {"act": "first"})
        assert client.get(LIST).status_code == 302
        client.force_login(owner)
        client.post(one(saved), {"name": "Pro"})
        client.force_login(me)
        assert client.get(LIST).status_code == 200
        preferences.delete_filter(actor=owner, list_key=KEY, filter_id=saved.pk)
        assert client.get(LIST).status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            "password__startswith=pbkdf2",
            "plan=pro&is_superuser__exact=1",
            "credit_account__balance__gt=1",
            "email__regex=a",
            "pk__in=1",
            "next=//evil.example",
        ],
    )
    def test_no_lookup_that_the_list_would_refuse_is_saved_or_opened(self, client, query):
        member = sign_in(client)
        (message,) = told(save(client, query=query))
        assert "is no filter of this list" in message
        assert not SavedFilter.objects.exists()
        saved = SavedFilter.objects.create(owner=member, list_key=KEY, name="By hand", query=query)
        assert client.get(f"{LIST}?{saved.query}")["Location"].endswith("?e=1")

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"name": ""}, "Name: This field is required."),
            ({"name": "   "}, "Name: This field is required."),
            ({"name": "x" * 61}, "at most 60 characters"),
            ({"name": "a\x00b"}, "Null characters"),
            ({"query": ""}, "nothing to save"),
            ({"query": "all=&after=x"}, "nothing to save"),
            ({"query": "plan=" + "x" * 2_000}, "nothing to save"),
            ({"query": "plan=a\x00b"}, "nothing to save"),
        ],
    )
    def test_what_cannot_be_saved_is_refused_in_words(self, client, data, words):
        sign_in(client)
        (message,) = told(client.post(FILTERS, {"name": "Pro", "query": "plan=pro"} | data))
        assert words in message
        assert not SavedFilter.objects.exists()

    def test_names_are_ones_own_once_a_list(self, client):
        sign_in(client)
        save(client)
        save(client, name="Free", query="plan=free")
        assert "choose another name" in told(save(client, query="plan=free"))[-1]
        free = SavedFilter.objects.get(name="Free")
        assert "choose another name" in told(client.post(one(free), {"name": "Pro"}))[-1]
        assert sorted(SavedFilter.objects.values_list("name", "query")) == [("Free", "plan=free"), ("Pro", "plan=pro")]
        sign_in(client)
        save(client)
        assert SavedFilter.objects.count() == 3

    def test_there_is_an_end_to_how_many_one_can_have(self, client, monkeypatch):
        monkeypatch.setattr(preferences, "MOST_FILTERS", 2)
        sign_in(client)
        for number in range(3):
            response = save(client, name=f"F{number}")
        assert "delete one" in told(response)[-1]
        assert SavedFilter.objects.count() == 2

    def test_hostile_names_and_queries_are_escaped(self, client):
        sign_in(client, SHARE)
        payload = '"><script>alert(1)</script>'
        save(client, name=payload, query="q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", is_shared="on")
        saved = SavedFilter.objects.get()
        for address in (f"{LIST}?{saved.query}", LIST):
            html = client.get(address).content.decode()
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize("address", [COLUMNS, FILTERS, f"{FILTERS}1/"])
class TestAddresses:
    def test_they_need_a_post(self, client, address):
        sign_in(client)
        assert client.get(address).status_code == 405

    def test_they_need_the_permission_to_see_the_list(self, client, address):
        client.force_login(StaffFactory(permissions=[SHARE]))
        assert client.post(address, {"name": "x", "query": "plan=pro"}).status_code == 403
        assert not SavedFilter.objects.exists() and not ListPreference.objects.exists()

    @pytest.mark.parametrize(
        "key", ["accounts.user", "accounts.apikey", "auth.permission", "nothing", "a.b", "a.b.c", "%00"]
    )
    def test_a_list_that_does_not_remember_is_not_found(self, client, address, key):
        client.force_login(StaffFactory(is_superuser=True))
        assert client.post(address.replace(KEY, key)).status_code in (400, 404)

    def test_customers_get_the_page_to_log_in(self, client, address):
        client.force_login(CustomerFactory())
        assert client.post(address)["Location"].startswith("/admin/login/")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_one_name_saved_twice_at_once_one_is_told(self):
        member = StaffFactory()

        def keep():
            preferences.save_filter(actor=member, list_key=KEY, name="Pro", query="plan=pro", is_shared=False)

        answers = at_once([keep] * 4)
        assert answers.count(None) == 1
        assert sum(isinstance(answer, FilterNameTaken) for answer in answers) == 3

    def test_columns_chosen_in_two_windows_end_as_one_choice(self):
        member = StaffFactory()
        choose = partial(preferences.choose_columns, actor=member, list_key=KEY)
        assert at_once([partial(choose, columns=[f"c{number}"]) for number in range(4)]) == [None] * 4
        assert ListPreference.objects.get().columns[0] in {"c0", "c1", "c2", "c3"}


def test_deleting_a_member_of_staff_deletes_what_they_chose():
    member = StaffFactory()
    saved = preferences.save_filter(actor=member, list_key=KEY, name="Pro", query="plan=pro", is_shared=False)
    preferences.choose_first_filter(actor=member, list_key=KEY, filter_id=saved.pk)
    member.delete()
    assert not SavedFilter.objects.exists() and not ListPreference.objects.exists()
    assert Customer.objects.count() == 0
