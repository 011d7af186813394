"""The customers list and the customer page as staff with few or many rights see them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Customer, Status, User
from audit.models import AuditEntry
from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")
EXPORT = reverse("admin:accounts_customer_export", args=["users"])


def page_of(customer):
    return reverse("admin:accounts_customer_change", args=[customer.pk])


@pytest.fixture
def support(client):
    member = StaffFactory(permissions=["accounts.view_customer", "accounts.change_customer"])
    client.force_login(member)
    return member


def give(user, amount):
    services.post(
        Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(amount), idempotency_key=f"test:{user.pk}")
    )


def emails(response):
    return [customer.email for customer in response.context["cl"].result_list]


def test_the_newest_customers_come_first(client, support):
    now = clock.now()
    old = CustomerFactory(date_joined=now - timedelta(days=9))
    new = CustomerFactory(date_joined=now)
    assert emails(client.get(LIST)) == [new.email, old.email]


def test_staff_are_no_customers(client, support):
    assert emails(client.get(LIST)) == []
    assert client.get(page_of(support)).status_code == 404


def test_the_list_takes_the_same_number_of_queries_for_ten_and_for_ten_thousand(
    client, support, django_assert_num_queries
):
    CustomerFactory.create_batch(10)
    client.get(LIST)
    with django_assert_num_queries(13):
        client.get(LIST)
    User.objects.bulk_create(
        User(email=f"many{n}@example.com", referral_code=f"c{n}", plan=f"plan{n % 5}", country="DE")
        for n in range(10_000)
    )
    with django_assert_num_queries(13):
        response = client.get(LIST)
    assert len(emails(response)) == 50


def test_the_page_of_a_customer_takes_the_same_number_of_queries_however_long_the_ledger(
    client, django_assert_num_queries
):
    client.force_login(StaffFactory(is_superuser=True))
    short, long = CustomerFactory.create_batch(2)
    give(short, 10)
    give(long, 1000)
    services.post_batch(
        [
            Posting(user_id=long.pk, kind=TransactionKind.USAGE, amount=Decimal(-1), idempotency_key=f"test:{n}")
            for n in range(200)
        ]
    )
    client.get(page_of(short))
    with django_assert_num_queries(71):
        client.get(page_of(short))
    with django_assert_num_queries(71):
        client.get(page_of(long))


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("column", ["credits", "generations", "spend", "joined", "last_active"])
def test_every_figure_sorts_both_ways(client, support, column, sign):
    customers = CustomerFactory.create_batch(3)
    for number, customer in enumerate(customers):
        give(customer, number + 1)
    response = client.get(LIST, {"o": sign + column})
    assert response.status_code == 200
    assert len(emails(response)) == 3
    if column == "credits":
        rising = [customer.email for customer in customers]
        assert emails(response) == (rising[::-1] if sign else rising)


def test_each_filter_narrows(client, support):
    CustomerFactory(email="a@example.com", status=Status.BANNED, plan="pro", country="DE", signup_source="google")
    give(CustomerFactory(email="b@example.com", plan="free", country="US"), 60)
    for query, expected in [
        ({"status": "banned"}, ["a@example.com"]),
        ({"plan": "free"}, ["b@example.com"]),
        ({"country": "DE"}, ["a@example.com"]),
        ({"source": "google"}, ["a@example.com"]),
        ({"credits": "high"}, ["b@example.com"]),
        ({"credits": "low"}, ["a@example.com"]),
        ({"figures__joined_from": "2001-01-01", "figures__joined_to": "2001-01-02"}, []),
    ]:
        assert emails(client.get(LIST, query)) == expected, query


def test_a_band_of_credits_that_there_is_not_is_no_filter(client, support):
    CustomerFactory()
    assert client.get(LIST, {"credits": "gone"})["Location"].endswith("?e=1")


@pytest.mark.parametrize("name", ["plan", "country", "source", "status"])
def test_a_value_that_nobody_has_finds_nobody(client, support, name):
    CustomerFactory()
    response = client.get(LIST, {name: "<b>gone</b>"})
    assert emails(response) == []
    assert [chip.value for chip in response.context["cl"].chips] == ["<b>gone</b>"]
    assert "<b>gone" not in response.content.decode()


@pytest.mark.parametrize("term", ["ADA@example.com", "ada", "love", "Ada Love", "u_ada", "cus_ada", "lovelace ada"])
def test_search_finds_by_address_name_and_ids(client, support, term):
    CustomerFactory(
        email="Ada@Example.com", full_name="Ada Lovelace", external_id="u_ada", stripe_customer_id="cus_ada"
    )
    CustomerFactory(email="bob@example.com", full_name="Bob")
    assert emails(client.get(LIST, {"q": term})) == ["Ada@Example.com"]


def test_search_by_our_own_id_finds_that_one_alone(client, support):
    wanted, other = CustomerFactory(), CustomerFactory()
    other.full_name = str(wanted.pk)
    other.save()
    assert emails(client.get(LIST, {"q": str(wanted.pk)})) == [wanted.email]


@pytest.mark.parametrize("term", ["\x00", "%", "_", "9" * 30, "'; drop table", "１２", "a" * 5000])
def test_odd_searches_find_nothing_and_break_nothing(client, support, term):
    CustomerFactory(email="a@example.com", full_name="Ann")
    assert client.get(LIST, {"q": term}, follow=True).status_code in (200, 400)


def test_user_text_is_escaped_in_the_list_and_on_the_page(client, support):
    payload = "<script>alert(1)</script>"
    customer = CustomerFactory(full_name=payload, plan=payload, signup_source=payload)
    for address in (LIST, page_of(customer)):
        content = client.get(address).content.decode()
        assert payload not in content
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content


def test_a_changed_profile_is_audited_without_personal_data(client, support):
    customer = CustomerFactory(email="before@example.com", country="DE")
    response = client.post(
        page_of(customer), {"email": "after@example.com", "full_name": "New", "country": "FR", "signup_source": ""}
    )
    assert response.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.resource_label) == ("record.change", support, f"user {customer.pk}")
    assert entry.old_values["country"] == "DE"
    assert entry.new_values == {"email": "(withheld)", "full_name": "(withheld)", "country": "FR"}


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith",
        "password",
        "credit_account__balance__gt",
        "is_superuser__exact",
        "email__regex",
        "pk__in",
    ],
)
def test_no_column_can_be_probed_by_address(client, support, lookup):
    CustomerFactory()
    response = client.get(LIST, {lookup: "1"})
    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")
    assert "nothing is filtered" in client.get(response["Location"]).content.decode()
    assert "nothing is filtered" not in client.get(LIST).content.decode()


def test_the_history_needs_the_permission_to_read_the_audit_log(client, support):
    customer = CustomerFactory()
    address = reverse("admin:accounts_customer_history", args=[customer.pk])
    assert client.get(address).status_code == 403
    assert address not in client.get(page_of(customer)).content.decode()
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "audit.view_auditentry"]))
    assert client.get(address).status_code == 200
    assert address in client.get(page_of(customer)).content.decode()


def test_a_search_that_finds_nothing_says_what_it_looks_at(client, support):
    CustomerFactory(full_name="Gonçalves")
    page = client.get(LIST, {"q": "calves"}).content.decode()
    assert "No customers match" in page and "The search finds: Beginnings of email, name or id" in page


def test_figures_and_status_cannot_be_forged_through_the_form(client, support):
    customer = CustomerFactory(country="DE")
    forged = {"is_superuser": "on", "is_staff": "on", "status": "banned", "plan": "studio", "external_id": "u_x"}
    client.post(page_of(customer), {"email": customer.email, "full_name": "", "country": "DE", **forged})
    customer.refresh_from_db()
    assert (customer.is_superuser, customer.is_staff, customer.status, customer.plan) == (False, False, "active", "")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "TAKEN@example.com", "taken"),
        ("email", "no address", "valid email"),
        ("email", "a\x00@example.com", "Null characters"),
        ("country", "de", "two capital letters"),
        ("full_name", "x" * 201, "at most 200"),
    ],
)
def test_bad_profile_values_get_a_clear_error_and_change_nothing(client, support, field, value, words):
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory(email="mine@example.com", full_name="Mine", country="DE")
    values = {"email": "mine@example.com", "full_name": "Mine", "country": "DE", "signup_source": "", field: value}
    response = client.post(page_of(customer), values)
    assert response.status_code == 200
    assert words in str(response.context["adminform"].form.errors)
    assert Customer.objects.filter(pk=customer.pk, email="mine@example.com", full_name="Mine", country="DE").exists()
    assert not AuditEntry.objects.exists()


def test_a_reader_sees_the_page_but_cannot_change_it(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    customer = CustomerFactory(country="DE")
    assert client.get(page_of(customer)).status_code == 200
    assert client.post(page_of(customer), {"email": "x@example.com"}).status_code == 403


def test_panels_and_actions_follow_the_permissions(client, support):
    customer = CustomerFactory()
    response = client.get(page_of(customer))
    assert [panel.key for panel in response.context["panels_main"]] == []
    assert response.context["action_groups"] == []
    client.force_login(StaffFactory(is_superuser=True))
    response = client.get(page_of(customer))
    assert {"lots", "ledger"} <= {panel.key for panel in response.context["panels_main"]}
    assert [panel.error for panel in [*response.context["panels_main"], *response.context["panels_side"]]].count(
        ""
    ) >= 4
    shown = {group.name: [action.key for action in group.actions] for group in response.context["action_groups"]}
    assert shown == {
        "Give": ["gift", "adjust", "allowance"],
        "Guard": ["suspend", "ban", "reset_password"],
        "Record": ["statement", "merge", "anonymise"],
    }


@pytest.mark.parametrize("address", ["add/", "history/", "delete/"])
def test_nobody_adds_or_deletes_a_customer_here(client, address):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory()
    path = f"{LIST}{address}" if address == "add/" else f"{LIST}{customer.pk}/{address}"
    assert client.post(path).status_code == (200 if address == "history/" else 403)
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_the_export_needs_its_own_permission_and_a_post(client, support):
    assert client.post(EXPORT).status_code == 403
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.export_customers"]))
    assert client.get(EXPORT).status_code == 405
    assert not AuditEntry.objects.exists()


def test_the_export_needs_the_permission_to_see_the_list_too(client):
    client.force_login(StaffFactory(permissions=["accounts.export_customers"]))
    assert client.post(EXPORT).status_code == 403


@pytest.mark.parametrize(
    "query", ["status__foo=1", "figures__joined_from=x", "q=%00&plan=%00", "password__startswith=a"]
)
def test_an_export_with_filters_that_cannot_be_read_is_refused_in_words(client, query):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.export_customers"]))
    response = client.post(f"{EXPORT}?{query}")
    assert response.status_code == 400
    assert not AuditEntry.objects.exists()


def test_what_was_searched_for_stays_out_of_the_audit_log(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.export_customers"]))
    b"".join(client.post(f"{EXPORT}?q=ada@example.com").streaming_content)
    assert AuditEntry.objects.get().new_values == {"file": "users.csv", "filters": {"q": ["(withheld)"]}}


def test_the_export_is_what_is_filtered_and_safe_in_a_spreadsheet(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.export_customers"]))
    joined = clock.now().replace(year=2026, month=3, day=1, hour=12, minute=0, second=0)
    give(CustomerFactory(email="=1+1@example.com", plan="pro", date_joined=joined), "12.5")
    CustomerFactory(email="other@example.com", plan="free")
    response = client.post(f"{EXPORT}?plan=pro")
    customer = Customer.objects.get(plan="pro")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert response["Content-Disposition"] == f'attachment; filename="users_{clock.now():%Y-%m-%d}.csv"'
    assert lines == [
        "ID,Email,Role,Credits,Created At,Generations,Total Spent",
        f"{customer.pk},'=1+1@example.com,customer,12.5,2026-03-01T12:00:00Z,0,0.00",
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.new_values) == (
        "accounts.export_customers",
        {"file": "users.csv", "filters": {"plan": ["pro"]}},
    )
