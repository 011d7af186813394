"""``admin/users``: customers by program, within the permissions of the key's member of staff."""

from decimal import Decimal

import pytest

from accounts import services
from accounts.models import Customer, CustomerFigures, StatusChange, Tag
from audit.models import AuditEntry
from billing.models import Payment
from credits import services as credits
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

ALL = ["accounts.view_customer", "accounts.ban_user", "accounts.suspend_user"]


def program(*permissions, scope="admin"):
    return Program(key(scope, staff=StaffFactory(permissions=permissions)))


def post(user, amount, name, **more):
    kind = TransactionKind.PURCHASE if amount > 0 else TransactionKind.USAGE
    return credits.post(
        Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{user.pk}:{name}", **more)
    )


@pytest.fixture
def ada():
    ada = CustomerFactory(email="Ada@example.com", external_id="u_ada", full_name="Ada", plan="pro", country="DE")
    bought = post(ada, 100, "bought", paid_minor=1250, currency="USD")
    post(ada, -30, "used")
    CustomerFigures.objects.filter(user=ada).update(spend_minor=1250, total_generations=3)
    Payment.objects.create(
        user=ada,
        stripe_payment_id="pi_1",
        amount_minor=1250,
        currency="USD",
        status="succeeded",
        credits_purchased=Decimal(100),
        transaction_id=bought.transaction_id,
        paid_at=ada.date_joined,
    )
    return ada


def test_the_list_gives_each_customer_with_their_figures(ada):
    listed = program("accounts.view_customer", scope="read").get("admin/users").json()
    created_at = ada.date_joined.isoformat().replace("+00:00", "Z")
    assert listed == {
        "users": [
            {
                "id": ada.pk,
                "external_id": "u_ada",
                "email": "Ada@example.com",
                "role": "customer",
                "status": "active",
                "credits": "70",
                "created_at": created_at,
                "total_generations": 3,
                "total_spent": "12.50",
                "last_active": None,
            }
        ],
        "next_cursor": None,
    }


def test_the_list_goes_on_by_cursor_and_is_narrowed():
    users = CustomerFactory.create_batch(3, plan="free")
    CustomerFactory(plan="pro", country="DE", signup_source="ad", status="banned")
    StaffFactory()
    staff = program("accounts.view_customer")
    first = staff.get("admin/users?limit=2&plan=free").json()
    rest = staff.get(f"admin/users?limit=2&plan=free&cursor={first['next_cursor']}").json()
    ids = [user["id"] for page in (first, rest) for user in page["users"]]
    assert ids == [user.pk for user in reversed(users)]
    assert rest["next_cursor"] is None
    for query in ("status=banned", "country=DE", "source=ad"):
        assert len(staff.get(f"admin/users?{query}").json()["users"]) == 1
    assert staff.get("admin/users?status=gone").status_code == 422
    assert staff.get("admin/users?cursor=x").status_code == 422
    assert staff.get("admin/users?limit=0").status_code == 422


@pytest.mark.parametrize("named", ["pk", "u_ada", "ADA@example.com"])
def test_one_customer_comes_whole_by_any_of_their_names(ada, named):
    Tag.objects.create(name="VIP")
    services.tag_customer(user_id=ada.pk, tag_id=Tag.objects.get().pk, actor=StaffFactory())
    staff = program("accounts.view_customer", "credits.view_credittransaction", "billing.view_payment", scope="read")
    whole = staff.get(f"admin/users/{ada.pk if named == 'pk' else named}").json()
    assert set(whole) == {"user", "transactions", "generations", "payments", "withheld"}
    assert (whole["user"]["id"], whole["user"]["full_name"], whole["user"]["tags"]) == (ada.pk, "Ada", ["VIP"])
    assert [entry["amount"] for entry in whole["transactions"]] == ["-30", "100"]
    assert [payment["amount_minor"] for payment in whole["payments"]] == [1250]
    assert (whole["generations"], whole["withheld"]) == ([], [])


def test_what_the_member_may_not_see_is_empty_and_named(ada):
    whole = program("accounts.view_customer").get("admin/users/u_ada").json()
    assert (whole["transactions"], whole["payments"]) == ([], [])
    assert whole["withheld"] == ["transactions", "payments"]


def test_only_the_latest_fifty_are_given(ada):
    for number in range(55):
        post(ada, -1, number)
    staff = program("accounts.view_customer", "credits.view_credittransaction")
    entries = staff.get("admin/users/u_ada").json()["transactions"]
    assert [entry["seq"] for entry in entries] == list(range(57, 7, -1))


def test_the_number_of_queries_does_not_depend_on_the_number_of_customers(django_assert_num_queries):
    staff = program("accounts.view_customer")
    CustomerFactory.create_batch(2)
    staff.get("admin/users")
    with django_assert_num_queries(4):
        staff.get("admin/users")
    CustomerFactory.create_batch(30)
    with django_assert_num_queries(4):
        assert len(staff.get("admin/users").json()["users"]) == 32


def test_a_ban_is_the_members_and_is_lifted_again(ada):
    staff = program(*ALL)
    banned = staff.post("admin/users/u_ada/ban", {"reason": "Fraud"})
    assert banned.json() == {"id": ada.pk, "status": "banned", "until": None, "changed": True}
    assert not staff.post("admin/users/u_ada/ban", {"reason": "Fraud"}).json()["changed"]
    entry = AuditEntry.objects.get(action="accounts.ban_user")
    assert (entry.reason, entry.new_values["source"]) == ("Fraud", "api")
    assert "API key" in entry.actor_label
    assert staff.post("admin/users/u_ada/unban", {"reason": "Paid"}).json()["status"] == "active"
    suspended = staff.post("admin/users/u_ada/suspend", {"reason": "Spam", "until": "2099-01-01T00:00:00Z"})
    assert suspended.json()["until"] == "2099-01-01T00:00:00Z"
    assert staff.post("admin/users/u_ada/unban", {"reason": "All right"}).json()["status"] == "active"


def test_the_same_key_is_done_once(ada):
    staff = program(*ALL)
    told = {"reason": "Fraud", "idempotency_key": "k1"}
    assert staff.post("admin/users/u_ada/ban", told).json()["changed"]
    staff.post("admin/users/u_ada/unban", {"reason": "x"})
    assert not staff.post("admin/users/u_ada/ban", told).json()["changed"]
    assert StatusChange.objects.count() == 2
    other = staff.post(f"admin/users/{CustomerFactory().pk}/ban", told)
    assert (other.status_code, code_of(other)) == (409, "wrong_status")


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("ban", {}, 422, "validation_error"),
        ("ban", {"reason": ""}, 422, "validation_error"),
        ("ban", {"reason": " "}, 422, "reason_missing"),
        ("ban", {"reason": "a\x00b"}, 422, None),
        ("ban", {"reason": "x" * 501}, 422, "validation_error"),
        ("ban", {"reason": "x", "until": "2001-01-01T00:00:00Z"}, 422, "invalid_until"),
        ("ban", {"reason": "x", "until": "soon"}, 422, "invalid_time"),
        ("ban", {"reason": "x", "for": "ever"}, 422, "validation_error"),
        ("unban", {"reason": "x", "until": "2099-01-01T00:00:00Z"}, 422, "validation_error"),
    ],
)
def test_bad_bodies_get_a_clear_error_and_change_nothing(ada, verb, body, status, code):
    answer = program(*ALL).post(f"admin/users/u_ada/{verb}", body)
    assert answer.status_code == status
    assert code is None or code_of(answer) == code
    assert Customer.objects.get().status == "active"


@pytest.mark.parametrize("named", ["nobody", "999999999", "9" * 40, "%20", "nobody@example.com"])
def test_nobody_is_found_where_nobody_is(named):
    staff = program(*ALL)
    for answer in (staff.get(f"admin/users/{named}"), staff.post(f"admin/users/{named}/ban", {"reason": "x"})):
        assert (answer.status_code, code_of(answer)) == (404, "unknown_user")


def test_staff_are_no_customers():
    member = StaffFactory()
    staff = program(*ALL)
    assert staff.get(f"admin/users/{member.pk}").status_code == 404
    assert staff.post(f"admin/users/{member.email}/ban", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("verb", "status", "permission"),
    [
        ("ban", "active", "accounts.ban_user"),
        ("suspend", "active", "accounts.suspend_user"),
        ("unban", "banned", "accounts.ban_user"),
        ("unban", "suspended", "accounts.suspend_user"),
    ],
)
def test_each_act_needs_its_own_permission(verb, status, permission):
    CustomerFactory(external_id="u_1", status=status)
    others = [name for name in ALL if name != permission]
    refused = program(*others).post(f"admin/users/u_1/{verb}", {"reason": "x"})
    assert (refused.status_code, code_of(refused)) == (403, "permission_missing")
    assert program(permission).post(f"admin/users/u_1/{verb}", {"reason": "x"}).status_code == 200
    assert program(permission, scope="read").post(f"admin/users/u_1/{verb}", {"reason": "x"}).status_code == 403


def test_reading_needs_the_permission_to_see_customers(ada):
    for address in ("admin/users", "admin/users/u_ada"):
        assert code_of(program("accounts.ban_user").get(address)) == "permission_missing"
        assert Program(key()).get(address).status_code == 403
