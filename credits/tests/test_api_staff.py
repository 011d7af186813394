"""``admin/credits``: gifts, corrections and refunds by a program of a member of staff."""

from decimal import Decimal

import pytest

from accounts.services import create_api_key
from audit.models import AuditEntry
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditLot, CreditTransaction
from credits.postings import Posting
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

PERMISSIONS = {
    "gift": "credits.gift_credits",
    "adjust": "credits.adjust_credits",
    "refund": "credits.refund_usage",
}


@pytest.fixture
def ada():
    user = CustomerFactory(external_id="u_ada", email="ada@example.com")
    services.post(Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(100), idempotency_key="test:gift"))
    return user


@pytest.fixture
def usage(ada):
    return services.charge_credits(user_id=ada.pk, amount=Decimal(10), idempotency_key="test:usage").transaction_id


def member(*acts):
    return StaffFactory(permissions=[PERMISSIONS[act] for act in acts])


def body(act, usage, **more):
    about = {"transaction": usage} if act == "refund" else {"user": "u_ada"}
    return about | {"amount": "5", "reason": "Sorry", "idempotency_key": "k1"} | more


@pytest.mark.parametrize("act", PERMISSIONS)
def test_an_act_is_booked_and_audited_with_the_actor_once(act, ada, usage):
    staff = member(act)
    program = Program(key("admin", staff=staff))
    response = program.post(f"admin/credits/{act}", body(act, usage))
    assert response.status_code == 201, response.content
    told = response.json()
    assert told == {
        "id": told["id"],
        "seq": 3,
        "amount": "5",
        "balance_before": "90",
        "balance_after": "95",
        "replayed": False,
    }
    entry = CreditTransaction.objects.get(pk=told["id"])
    assert (entry.actor_id, entry.description) == (staff.pk, "Sorry")
    again = program.post(f"admin/credits/{act}", body(act, usage))
    assert (again.status_code, again.json()) == (200, told | {"replayed": True})
    audited = AuditEntry.objects.get(action=f"credits.{act}")
    assert (audited.actor_id, audited.reason, audited.resource_id) == (staff.pk, "Sorry", str(ada.pk))
    assert "through API key" in audited.actor_label


@pytest.mark.parametrize("act", PERMISSIONS)
def test_an_act_needs_its_own_permission(act, usage):
    others = [other for other in PERMISSIONS if other != act]
    response = Program(key("admin", staff=member(*others))).post(f"admin/credits/{act}", body(act, usage))
    assert (response.status_code, code_of(response)) == (403, "permission_missing")
    assert CreditAccount.objects.get().balance == 90


@pytest.mark.parametrize("act", PERMISSIONS)
def test_if_the_audit_entry_cannot_be_written_nothing_is(act, usage, monkeypatch):
    def fail(**fields):
        raise RuntimeError("no audit")

    program = Program(key("admin", staff=member(act)))
    monkeypatch.setattr("audit.services.record", fail)
    assert program.post(f"admin/credits/{act}", body(act, usage)).status_code == 500
    assert CreditAccount.objects.get().balance == 90


@pytest.mark.parametrize("act", ["gift", "adjust"])
def test_a_customer_is_named_by_id_or_by_email(act, ada):
    program = Program(key("admin", staff=member(act)))
    for number, user in enumerate(["u_ada", "ada@example.com", "ADA@Example.com"]):
        told = body(act, None, user=user, idempotency_key=f"k{number}")
        assert program.post(f"admin/credits/{act}", told).status_code == 201
    staff = StaffFactory(external_id="u_staff", email="staff@example.com")
    for user in ["nobody", "nobody@example.com", str(ada.pk), staff.external_id, staff.email]:
        response = program.post(f"admin/credits/{act}", body(act, None, user=user, idempotency_key="other"))
        assert (response.status_code, code_of(response)) == (404, "unknown_user")


def test_an_id_of_the_product_that_looks_like_an_email_goes_before_one(ada):
    CustomerFactory(external_id="ada@example.com", email="other@example.com")
    program = Program(key("admin", staff=member("gift")))
    assert program.post("admin/credits/gift", body("gift", None, user="ada@example.com")).json()["seq"] == 1


def test_a_gift_lapses_when_told(ada):
    program = Program(key("admin", staff=member("gift")))
    for expiry, code in [("2020-01-01T00:00:00Z", "invalid_expiry"), ("tomorrow", "invalid_time")]:
        response = program.post("admin/credits/gift", body("gift", None, expires_at=expiry))
        assert (response.status_code, code_of(response)) == (422, code)
    told = body("gift", None, expires_at="2099-01-01T00:00:00+01:00")
    assert program.post("admin/credits/gift", told).status_code == 201
    assert CreditLot.objects.latest("pk").expires_at.isoformat() == "2098-12-31T23:00:00+00:00"


def test_an_adjustment_never_takes_what_is_not_there(ada):
    program = Program(key("admin", staff=member("adjust")))
    response = program.post("admin/credits/adjust", body("adjust", None, amount="-100.0001"))
    assert (response.status_code, code_of(response)) == (402, "insufficient_credits")
    assert program.post("admin/credits/adjust", body("adjust", None, amount="-100")).json()["balance_after"] == "0"


@pytest.mark.parametrize("act", ["gift", "adjust"])
def test_a_demo_customer_is_given_nothing(act):
    CustomerFactory(external_id="u_ada", demo_mode=True)
    response = Program(key("admin", staff=member(act))).post(f"admin/credits/{act}", body(act, None))
    assert (response.status_code, code_of(response)) == (409, "demo_customer")


@pytest.mark.parametrize("act", PERMISSIONS)
@pytest.mark.parametrize(("reason", "code"), [("", "validation_error"), ("  ", "reason_missing")])
def test_whoever_acts_says_why(act, usage, reason, code):
    response = Program(key("admin", staff=member(act))).post(f"admin/credits/{act}", body(act, usage, reason=reason))
    assert (response.status_code, code_of(response)) == (422, code)


def test_a_key_of_idempotency_is_its_persons_whichever_api_key_is_used(ada):
    staff, colleague = member("gift"), member("gift")
    first = Program(key("admin", staff=staff))
    second = Program(create_api_key(name="other", scopes=["admin"], staff=staff, actor=None).secret)
    assert first.post("admin/credits/gift", body("gift", None)).status_code == 201
    assert second.post("admin/credits/gift", body("gift", None)).json()["replayed"]
    assert Program(key("admin", staff=colleague)).post("admin/credits/gift", body("gift", None)).status_code == 201
    assert code_of(first.post("admin/credits/gift", body("gift", None, amount="6"))) == "idempotency_conflict"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["gift", "refund"])
def test_a_double_click_acts_once(act, usage):
    secret = key("admin", staff=member(act))
    responses = at_once([lambda: Program(secret).post(f"admin/credits/{act}", body(act, usage)) for _ in range(2)])
    assert sorted(response.status_code for response in responses) == [200, 201]
    assert CreditAccount.objects.get().balance == 95
    assert AuditEntry.objects.filter(action=f"credits.{act}").count() == 1
