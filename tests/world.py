"""A small company for tests that go over everything: one thing of each kind that a page can show.

Whoever adds a model with pages, or a field that users fill, adds it to the function of its app here, with ``text`` in
it: the tests that walk every page in a browser hand in hostile text. It also runs inside the served product, so it is
set up by the services and needs no fixtures.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import (
    ApiKey,
    Customer,
    FiguresProof,
    Role,
    SavedFilter,
    StaffMember,
    StaffNote,
    StatusChange,
    Tag,
    User,
)
from accounts.services import (
    add_note,
    create_api_key,
    record_activity,
    save_filter,
    suspend_customer,
    tag_customer,
)
from audit import services as audit
from audit.models import AuditEntry, AuditProof
from backoffice.lib import clock
from backoffice.lib.admin.memory import canonical
from billing.admin.replay import REPLAY_MANY
from billing.models import (
    CreditPack,
    Dispute,
    ExchangeRate,
    Invoice,
    Payment,
    Plan,
    PlanPrice,
    Refund,
    StripeEvent,
    Subscription,
    SubscriptionItem,
    SyncState,
)
from billing.services.inbox import receive_event
from billing.services.processing import process_event
from billing.tests import stripe_bodies
from credits import approving
from credits import services as credits
from credits.admin.bulk_gift import GIFT
from credits.kinds import TransactionKind
from credits.models import CreditHold, CreditTransaction, IntegrityRun
from credits.postings import Posting
from imports.models import CustomerImport
from imports.report import Fault, Report
from jobs import services as jobs
from jobs.models import Approval, Channel, Delivery, Job, OutboxMessage, RoleLimit
from jobs.services import enqueue

CUSTOMER, COLLEAGUE = "customer@example.com", "colleague@example.com"
CUSTOMERS = "accounts.customer"


def populate(*, text: str, staff: User) -> None:
    """Make the company; ``staff`` does what needs somebody to do it."""
    with transaction.atomic():
        for make in (people, ledger, money, files, work, many, remarks, outbox, trouble, log):
            make(text, staff)


def files(text: str, staff: User) -> None:
    found = Report(rows=1, faults=1, first_faults=[Fault(1, text, text, text, text)], notes=[text])
    CustomerImport.objects.create(
        name=text, size=1, lines=1, sha256="0" * 64, reason=text, created_by=staff, report=found.as_json()
    )


def people(text: str, staff: User) -> None:
    customer = Customer.objects.create_user(
        CUSTOMER,
        full_name=text,
        plan=text[:64],
        signup_source=text[:64],
        external_id=text,
        avatar="javascript:alert(3)",
    )
    record_activity(event_id=text, action=text[:64], user_id=customer.pk, details={"text": text})
    colleague = StaffMember.objects.create_user(COLLEAGUE, full_name=text, is_staff=True, status_reason=text)
    colleague.groups.add(Group.objects.create(name=text))
    create_api_key(name=text, scopes=["read"], staff=colleague, actor=staff)
    save_filter(
        actor=staff, list_key=CUSTOMERS, name=text[:60], query=canonical(urlencode({"q": text})), is_shared=True
    )


def ledger(text: str, staff: User) -> None:
    user_id = _customer().pk
    credits.gift_credits(user_id=user_id, amount=Decimal(5), reason=text, actor=staff, idempotency_key="test:" + text)
    bought = credits.post(
        Posting(
            user_id=user_id,
            kind=TransactionKind.PURCHASE,
            amount=Decimal(50),
            idempotency_key="test:bought",
            paid_minor=500,
            currency="USD",
            description=text,
            reference=text,
        )
    )
    credits.charge_credits(
        user_id=user_id,
        amount=Decimal(53),
        idempotency_key="test:used",
        action_type=text[:64],
        description=text,
        reference=text,
        metadata={"text": text},
    )
    credits.place_hold(user_id=user_id, amount=Decimal(1), idempotency_key="test:held", reference=text)
    credits.claw_back(
        transaction_id=bought.transaction_id,
        amount=Decimal(9),
        kind=TransactionKind.CHARGEBACK,
        idempotency_key="test:disputed",
        reference=text,
        description=text,
    )
    now = clock.now()
    IntegrityRun.objects.create(
        source="beat",
        started_at=now - timedelta(minutes=1),
        finished_at=now,
        accounts=1,
        faults=1,
        findings=[{"rule": text, "account": user_id, "row": 1, "detail": text}],
    )
    FiguresProof.objects.create(
        source="beat",
        started_at=now - timedelta(minutes=1),
        finished_at=now,
        customers=1,
        faults=1,
        findings=[{"rule": text, "customer": user_id, "detail": text}],
    )


def money(text: str, staff: User) -> None:
    CreditPack.objects.create(
        name=text[:100], credits=Decimal(10), price_minor=100, currency="USD", stripe_price_id=text, position=1
    )
    plan = Plan.objects.create(key="world", name=text[:100], monthly_credits=Decimal(5))
    PlanPrice.objects.create(plan=plan, stripe_price_id=text, amount_minor=100, currency="USD", interval="month")
    ExchangeRate.objects.create(date=clock.now().date(), base="EUR", quote="USD", rate=Decimal("1.1"))
    Invoice.objects.create(
        user=_customer(),
        stripe_invoice_id=text,
        number=text[:64],
        status="open",
        billing_reason=text[:64],
        currency="USD",
        hosted_url="javascript:alert(3)",
        issued_at=clock.now(),
    )
    subscription = Subscription.objects.create(
        user=_customer(),
        stripe_subscription_id=text,
        status="trialing",
        plan=plan,
        currency="USD",
        started_at=clock.now(),
        pause_behavior=text[:32],
        discounts=[{"percent_off": text, "amount_off": None, "currency": "", "ends": None, "coupon": text}],
    )
    SubscriptionItem.objects.create(
        subscription=subscription,
        stripe_item_id=text,
        stripe_price_id=text,
        interval="month",
        unit_amount=Decimal("0.5"),
    )
    for number, metadata in enumerate(({"user_id": text, "credits": text}, {"user_id": text, "credits": "7"})):
        intent = stripe_bodies.payment_intent(
            metadata=metadata, description=text, id=f"pi_world_{number}", latest_charge=f"ch_world_{number}"
        )
        # Ids of its own: a test beside the served product counts its events from one too.
        told = stripe_bodies.intent_succeeded(intent) | {"id": f"evt_world_{number}"}
        event = receive_event(body=stripe_bodies.encoded(told))
        assert event
        process_event(event_id=event.pk)
    now = clock.now()
    # Neither moves anything: the one failed, the other only asks.
    Refund.objects.create(
        payment=_payment(),
        stripe_refund_id="re_world",
        amount_minor=100,
        status="failed",
        failure=text,
        reason=text,
        stripe_reason=text[:64],
        actor=staff,
        refunded_at=now,
        failed_at=now,
    )
    Dispute.objects.create(
        payment=_payment(),
        stripe_dispute_id="dp_world",
        amount_minor=100,
        status="warning_needs_response",
        reason=text[:64],
        evidence_due_at=now,
        opened_at=now,
    )
    Payment.objects.filter(pk=_payment().pk).update(failure=text)
    SyncState.objects.create(resource="payments", run=uuid4(), read_from=clock.now(), error=text)


def work(text: str, staff: User) -> None:
    customer = _customer()
    colleague = StaffMember.objects.get(email=COLLEAGUE)
    RoleLimit.objects.create(group=colleague.groups.get(), verb="credits.gift", per_act=Decimal(1))
    Approval.objects.create(
        verb="credits.gift",
        params=approving.addition(customer.pk, Decimal(7), None),
        amount=Decimal(7),
        resource_type="accounts.user",
        resource_id=str(customer.pk),
        requested_by=colleague,
        reason=text,
        token="test:" + text,
        expires_at=clock.now() + timedelta(days=7),
    )


def many(text: str, staff: User) -> None:
    """An act on several customers that was done, with one of them left out, and one that waits for its form."""
    for name, is_demo in (("given", False), ("left-out", True)):
        Customer.objects.create_user(f"{name}@example.com", full_name=text, demo_mode=is_demo)
    chosen = Customer.objects.filter(email__in=["given@example.com", "left-out@example.com"])
    job = jobs.draft_job(kind=GIFT, actor=staff, targets=chosen)
    jobs.start_bulk(job_id=job.pk, actor=staff, params={"amount": "1", "expires_at": None}, reason=text)
    jobs.run_job(job_id=job.pk)
    jobs.draft_job(kind=GIFT, actor=staff, targets=chosen)
    jobs.draft_job(kind=REPLAY_MANY, actor=staff, targets=StripeEvent.objects.all())


def remarks(text: str, staff: User) -> None:
    customer = _customer()
    add_note(user_id=customer.pk, text=text, actor=staff, is_pinned=True)
    for name in (text[:40], "Another"):
        Tag.objects.create(name=name, colour="warn")
    tag_customer(user_id=customer.pk, tag_id=_newest(Tag.objects.all()), actor=staff)


def outbox(text: str, staff: User) -> None:
    message = enqueue(
        key="test:" + text,
        channel=Channel.MAIL,
        topic=text[:64],
        # Nothing of a mail's head may hold the end of a line; the body may.
        recipient=" ".join(text.split()),
        subject=" ".join(text.split()),
        body=text,
        user_id=_customer().pk,
    )
    OutboxMessage.objects.filter(pk=message.pk).update(state="dead", attempts=1, last_error=text)
    Delivery.objects.create(message=message, ok=False, status_code=550, took_ms=12, answer=text)


def trouble(text: str, staff: User) -> None:
    # The last thing that happens to the customer: nothing is charged from then on.
    suspend_customer(user_id=_customer().pk, reason=text, actor=staff)


def log(text: str, staff: User) -> None:
    now = clock.now()
    AuditProof.objects.create(
        source="beat", started_at=now, finished_at=now, entries=1, head_hash="0" * 64, anchors=1, fault=text
    )
    audit.record(
        action="record.change",
        actor=staff,
        resource=audit.Resource("accounts.user", str(_customer().pk), text),
        old_values={text: text, "nested": {text: [text, "kept"], "long": text * 10}},
        new_values={"added": text, "nested": {text: ["kept", text * 2], "long": ""}, "transaction": 1},
        reason=text,
    )


def _customer() -> Customer:
    return Customer.objects.get(email=CUSTOMER)


def _payment() -> Payment:
    return Payment.objects.get(stripe_payment_id="pi_world_1")


def _entry(kind: TransactionKind) -> int:
    return _newest(CreditTransaction.objects.filter(kind=kind, account__user=_customer()))


def _newest(rows: QuerySet[Any]) -> int:
    """The world's own: in a product that has lived, older ones are of others and may be done with."""
    return rows.order_by("-pk").values_list("pk", flat=True)[0]


# What goes in the places of addresses: by the name of the place, or by a part of the address and the name.
PLACES: dict[str, Callable[[], object]] = {
    "user_id": lambda: _customer().pk,
    "external_id": lambda: _customer().external_id,
    "entry_id": lambda: _entry(TransactionKind.USAGE),
    "/reverse/ entry_id": lambda: _entry(TransactionKind.GIFT),
    "event_id": lambda: StripeEvent.objects.get(stripe_id="evt_world_0").pk,
    "change_id": lambda: _newest(StatusChange.objects.filter(user=_customer())),
    "/admin/users/ user": lambda: _customer().pk,
    "note_id": lambda: _newest(StaffNote.objects.all()),
    "tag_id": lambda: _newest(Tag.objects.all()),
    "key_id": lambda: _newest(ApiKey.objects.all()),
    "approval_id": lambda: _newest(Approval.objects.all()),
    "message_id": lambda: _newest(OutboxMessage.objects.filter(state="dead")),
    "job_id": lambda: _newest(Job.objects.filter(state="done", kind=GIFT)),
    "/prepare/ job_id": lambda: _newest(Job.objects.filter(state="draft", kind=GIFT)),
    "/replay/ job_id": lambda: _newest(Job.objects.filter(state="draft", kind=REPLAY_MANY)),
    "customer_id": lambda: _customer().pk,
    "payment_id": lambda: _payment().pk,
    "purchase_id": lambda: _payment().transaction_id,
    "list_key": lambda: CUSTOMERS,
    "filter_id": lambda: _newest(SavedFilter.objects.all()),
    "hold_id": lambda: _newest(CreditHold.objects.filter(account__user=_customer())),
    "/audit/auditentry/ object_id": lambda: AuditEntry.objects.latest("pk").pk,
    "/accounts/role/ object_id": lambda: Role.objects.latest("pk").pk,
    "/accounts/staffmember/ object_id": lambda: StaffMember.objects.get(email=COLLEAGUE).pk,
    "/accounts/staffmember/ id": lambda: StaffMember.objects.get(email=COLLEAGUE).pk,
    "/admin/r/ content_type_id": lambda: ContentType.objects.get_for_model(User).pk,
    "/admin/r/ object_id": lambda: _customer().pk,
    "import_id": lambda: _newest(CustomerImport.objects.all()),
    "/accounts/customer/export/ key": lambda: "users",
    "/audit/auditentry/export/ key": lambda: "audit",
    "/accounts/tag/export/ key": lambda: "tags",
    "/billing/creditpack/export/ key": lambda: "packs",
    "/billing/plan/export/ key": lambda: "plans",
    "/billing/exchangerate/export/ key": lambda: "rates",
    "/billing/subscription/export/ key": lambda: "subscriptions",
    "/billing/payment/export/ key": lambda: "payments",
    "/billing/refund/export/ key": lambda: "refunds",
    "/billing/dispute/export/ key": lambda: "disputes",
    "/billing/invoice/export/ key": lambda: "invoices",
    "/credits/credittransaction/export/ key": lambda: "transactions",
    "/api/v1/admin/export/ name": lambda: "balances",
    "member_id": lambda: StaffMember.objects.get(email=COLLEAGUE).pk,
    # Those of the login are nobody's.
    "factor_id": lambda: 0,
    "public_id": uuid4,
    "uidb64": lambda: "MQ",
    "token": lambda: "token",
    "app_label": lambda: "accounts",
    "url": lambda: "nowhere",
}

# What a staff endpoint of the API is sent, so that nothing but the permission decides.
BODIES: dict[str, Callable[[], dict[str, object]]] = {
    "/api/v1/admin/credits/gift": lambda: {"user": CUSTOMER, "amount": "1", **_WHY},
    "/api/v1/admin/credits/adjust": lambda: {"user": CUSTOMER, "amount": "1", **_WHY},
    **{f"/api/v1/admin/users/<user>/{verb}": lambda: {"reason": "sorry"} for verb in ("ban", "suspend", "unban")},
    "/api/v1/admin/credits/refund": lambda: {"transaction": _entry(TransactionKind.USAGE), **_WHY},
}
_WHY = {"reason": "sorry", "idempotency_key": "test:asked"}


def value_of(address: str, place: str) -> object:
    """What stands for ``<place>`` in ``address``. Raises LookupError when the world does not know."""
    for key, find in PLACES.items():
        part, _, name = key.rpartition(" ")
        if part and part in address and name == place:
            return find()
    if place in PLACES:
        return PLACES[place]()
    if place == "object_id":
        return _an_object_of(*address.split("/")[2:4])
    raise LookupError(f"{address}: say in PLACES of tests/world.py what goes in <{place}>")


def _an_object_of(app_label: str, model_name: str) -> object:
    model = apps.get_model(app_label, model_name)
    found = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    if found is None:
        raise LookupError(f"tests/world.py makes no {model._meta.label}: its pages cannot be visited")
    return found
