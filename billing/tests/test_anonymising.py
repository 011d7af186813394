"""Somebody is forgotten: nothing personal is left in any table, and ledger, payments and audit log still prove."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from urllib.parse import quote, urlencode

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, models, transaction
from django.urls import reverse

from accounts import services as accounts
from accounts.errors import AnonymiseRefused, CustomerAnonymised, CustomerRetired, ReasonRefused, UnknownCustomer
from accounts.models import Customer, RetiredCustomer, SavedFilter, StaffNote, Tag, User
from accounts.services import anonymising
from audit.models import AuditEntry
from audit.selectors import first_chain_fault
from backoffice.lib import clock
from backoffice.lib.lives import anonymisers
from billing.models import EventState, Invoice, Payment, Plan, StripeEvent
from billing.selectors import events_about
from billing.tests import stripe_bodies
from billing.tests.bodies import invoices, subscriptions
from billing.tests.flow import bought, deliver
from credits import selectors, services
from credits.errors import CustomerBanned
from jobs.models import Channel, MessageState, OutboxMessage
from jobs.services import enqueue
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once, wait_for_a_waiter

pytestmark = pytest.mark.django_db

TOKEN = "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"
# What only this person has, each in a word that is nowhere else.
MARKS = {
    "email": "Markemail/Ada@example.com",
    "name": "Markname",
    "avatar": "markavatar",
    "external": "mark_external_7",
    "stripe": "cus_Markstripe",
    "visitor": "mark_visitor_9",
    "ip": "203.0.113.77",
    "agent": "Markagent/7.0",
    "details": "markdetails",
    "note": "marknote",
    "reason": "markreason",
    "message": "markmessage",
    "answer": "markanswer",
    "merged": "markmerged",
    "last4": "9137",
}


def forget(user, **more):
    given = {"reason": "Asked for it", "actor": None} | more
    return accounts.anonymise_user(user_id=user.pk, **given)


@pytest.fixture
def person():
    """Somebody of whom every table knows something."""
    staff = StaffFactory()
    accounts.put_customer(
        external_id=MARKS["external"],
        told={"email": MARKS["email"], "full_name": MARKS["name"], "country": "IS", "visitor_id": MARKS["visitor"]},
    )
    user = Customer.objects.get()
    Customer.objects.filter(pk=user.pk).update(
        avatar=f"https://media.example.com/{MARKS['avatar']}.png", stripe_customer_id=MARKS["stripe"]
    )
    accounts.record_events(
        events=[
            accounts.ToldEvent(
                event_id="e1",
                action="login",
                at=clock.now(),
                user=MARKS["external"],
                visitor_id=MARKS["visitor"],
                details={"told": MARKS["details"]},
                ip=MARKS["ip"],
                user_agent=MARKS["agent"],
            )
        ]
    )
    accounts.add_note(user_id=user.pk, text=MARKS["note"], actor=staff)
    AccessAttempt.objects.create(username=f"password: {MARKS['email'].lower()}", failures_since_start=1)
    SavedFilter.objects.create(owner=staff, list_key="x", name="Her", query=urlencode({"q": MARKS["email"]}))
    accounts.tag_customer(user_id=user.pk, tag_id=Tag.objects.create(name="VIP").pk, actor=staff)
    with transaction.atomic():
        message = enqueue(
            key="m1",
            channel=Channel.MAIL,
            topic="mail",
            recipient=MARKS["email"],
            subject=MARKS["message"],
            body=MARKS["message"],
            payload={"of": MARKS["message"]},
            user_id=user.pk,
        )
    message.deliveries.create(ok=False, took_ms=1, answer=MARKS["answer"])
    intent = bought(customer=MARKS["stripe"], receipt_email=MARKS["email"])
    intent["metadata"]["user_id"] = MARKS["external"]
    deliver(stripe_bodies.intent_succeeded(intent))
    Payment.objects.update(payment_method_last4=MARKS["last4"])
    services.charge_credits(user_id=user.pk, amount=Decimal(30), idempotency_key="test:used")
    other = CustomerFactory(
        external_id=MARKS["merged"],
        email=f"{MARKS['merged']}@example.com",
        country="IS",
        signup_source=MARKS["merged"],
        character_count=7,
    )
    accounts.merge_customers(survivor_id=user.pk, merged_id=other.pk, reason="Twice", actor=staff)
    accounts.suspend_customer(user_id=user.pk, reason=MARKS["reason"], actor=staff)
    user.refresh_from_db()
    return user


def traces():
    """Every row of every table that still says one of the marks, as table and mark."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        # When this database was made says nothing of anybody, and the four digits of a card are soon met in it.
        tables = [name for (name,) in cursor if name != "django_migrations"]
        for table in tables:
            for name, mark in MARKS.items():
                # Bytes are shown as hexadecimal digits, and in an address an @ is written otherwise.
                shapes = [f"%{shape}%" for shape in (mark, mark.encode().hex(), quote(mark, safe=""))]
                cursor.execute(f'SELECT count(*) FROM "{table}" AS kept WHERE kept::text ILIKE ANY (%s)', [shapes])
                if cursor.fetchone()[0]:
                    yield table, name


def test_of_somebody_who_is_known_everywhere_nothing_is_left_anywhere_but_the_reasons_in_the_log(person):
    known_before = set(traces())
    assert {table for table, _ in known_before} >= {
        "accounts_user",
        "accounts_activityevent",
        "accounts_customersearch",
        "accounts_retiredcustomer",
        "accounts_savedfilter",
        "axes_accessattempt",
        "accounts_staffnote",
        "accounts_statuschange",
        "billing_stripeevent",
        "jobs_delivery",
        "jobs_outboxmessage",
    }
    assert {name for _, name in known_before} == set(MARKS)
    forget(person)
    # What staff wrote as a reason is evidence, under a hash: the form tells them not to name anybody.
    assert set(traces()) == {("audit_auditentry", "reason")}


def test_books_and_log_still_prove_and_keep_what_happened(person):
    before = [(entry.pk, entry.amount) for entry in selectors.ledger_of(person.pk)]
    entries = AuditEntry.objects.count()
    result = forget(person)
    assert [(entry.pk, entry.amount) for entry in selectors.ledger_of(person.pk)] == before
    assert list(selectors.verify()) == []
    assert Payment.objects.get().amount_minor and Payment.objects.get().payment_method_last4 == ""
    logged = AuditEntry.objects.latest("pk")
    assert AuditEntry.objects.count() == entries + 1
    assert (logged.action, logged.resource_id, logged.reason) == (
        "accounts.anonymise_customer",
        str(person.pk),
        "Asked for it",
    )
    assert logged.new_values["emptied"] == dict(result.emptied)
    assert result.emptied["notes"] == 1 and result.emptied["stripe_events"] == 1 and result.emptied["messages"] == 1


@pytest.mark.django_db(transaction=True)
def test_the_chain_of_the_log_holds_afterwards(person):
    forget(person)
    assert first_chain_fault(anchors=[]) is None


def test_the_row_that_stays_is_nobodys(person):
    codes = dict(User.objects.values_list("pk", "referral_code"))
    forget(person)
    person.refresh_from_db()
    assert (person.email, person.full_name, person.external_id, person.stripe_customer_id) == (
        f"{person.pk}@retired.invalid",
        "",
        None,
        None,
    )
    assert (person.status, person.status_reason, person.has_usable_password()) == ("banned", "anonymised", False)
    assert (person.country, person.signup_source, person.avatar) == ("", "", "")
    assert person.referral_code != codes[person.pk]
    merged = person.absorbed.get().user
    assert (merged.country, merged.signup_source, merged.character_count) == ("", "", 0)
    assert merged.referral_code != codes[merged.pk]
    with pytest.raises(CustomerBanned):
        services.charge_credits(user_id=person.pk, amount=Decimal(1), idempotency_key="test:after")
    with pytest.raises(CustomerRetired):
        accounts.unban_customer(user_id=person.pk, reason="x", actor=StaffFactory())


def test_what_the_product_tells_of_them_later_is_refused_and_makes_nobody(person):
    forget(person)
    product = Program(key())
    for external_id in (MARKS["external"], MARKS["merged"]):
        told = product.put(f"users/{external_id}", {"email": "back@example.com"})
        assert (told.status_code, code_of(told)) == (409, "user_anonymised")
        assert product.get(f"users/{external_id}").status_code == 404
    event = {"event_id": "e2", "action": "login", "at": clock.now().isoformat(), "user": MARKS["external"]}
    assert product.post("events", {"events": [event]}).json()["results"][0]["status"] == "rejected"
    assert Customer.objects.count() == 2


def test_what_stripe_tells_of_them_later_brings_nobody_back(person):
    forget(person)
    intent = bought(customer=MARKS["stripe"], receipt_email=MARKS["email"])
    intent["metadata"]["user_id"] = MARKS["external"]
    [event] = deliver(stripe_bodies.intent_succeeded(intent))
    assert event.state == EventState.PARKED
    accounts.link_stripe_customer(user_id=person.pk, stripe_customer_id=MARKS["stripe"])
    person.refresh_from_db()
    assert person.stripe_customer_id is None


def test_a_number_of_theirs_is_not_taken_for_the_products():
    customer = CustomerFactory(external_id=None)
    forget(customer)
    from accounts.selectors import customer_by_reference  # noqa: PLC0415

    assert customer_by_reference(str(customer.pk)) is None


def test_a_message_that_waits_is_not_sent(person):
    forget(person)
    message = OutboxMessage.objects.get(key="m1")
    assert (message.state, message.recipient, message.body, message.payload) == (MessageState.DEAD, "", "", {})


def test_what_stripe_told_of_somebody_is_found_by_indexes(person):
    with connection.cursor() as cursor:
        # So few rows would be read whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Seq Scan on billing_stripeevent" not in events_about([person.pk], stripe_customer_id="cus_1").explain()


def test_what_stripe_told_of_them_under_other_ids_of_its_customers_is_emptied_too(person):
    second = {"customer": "cus_second", "metadata": {"user_id": MARKS["external"]}}
    told = invoices.invoice(
        invoices.NEW, lines=[invoices.line("price_use")], id="in_1", payment_intent=None, subscription=None, **second
    )
    stored = deliver(
        stripe_bodies.event("invoice.finalized", told),
        subscriptions.told("created", subscriptions.subscription(id="sub_1", **second)),
        stripe_bodies.event("customer.updated", {"id": "cus_second", "object": "customer", "email": MARKS["email"]}),
    )
    assert [each.state for each in stored[:2]] == [EventState.PROCESSED] * 2
    forget(person)
    assert {bytes(each.body) for each in StripeEvent.objects.filter(pk__in=[each.pk for each in stored])} == {b""}


def test_what_stripe_told_of_somebody_else_who_shares_a_customer_of_its_is_kept(person):
    CustomerFactory(external_id="u_bob", stripe_customer_id="cus_bob")
    CustomerFactory(external_id="u_cleo")
    for number, (customer, user_id) in enumerate(
        [("cus_bob", MARKS["external"]), ("cus_both", MARKS["external"]), ("cus_both", "u_cleo")]
    ):
        theirs = subscriptions.subscription(id=f"sub_{number}", customer=customer, metadata={"user_id": user_id})
        deliver(subscriptions.told("created", theirs))
    kept = deliver(
        *(stripe_bodies.event("customer.updated", {"id": key, "object": "customer"}) for key in ("cus_bob", "cus_both"))
    )
    forget(person)
    assert all(bytes(StripeEvent.objects.get(pk=each.pk).body) for each in kept)
    whose = {each.subscription_id: bytes(each.body) != b"" for each in StripeEvent.objects.exclude(subscription_id="")}
    assert whose == {"sub_0": False, "sub_1": False, "sub_2": True}


def test_an_invoice_that_is_told_of_later_does_not_lead_to_its_page_again(person):
    told = invoices.invoice(invoices.NEW, lines=[invoices.line("price_use")], id="in_1", customer=MARKS["stripe"])
    deliver(stripe_bodies.event("invoice.finalized", told))
    assert Invoice.objects.get().hosted_url
    forget(person)
    (later,) = deliver(stripe_bodies.event("invoice.updated", told, created=stripe_bodies.CREATED + 60))
    assert (later.state, Invoice.objects.get().hosted_url) == (EventState.PROCESSED, "")


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_while_they_are_forgotten_waits_and_neither_of_both_fails(monkeypatch):
    customer = CustomerFactory(stripe_customer_id="cus_ada")
    Plan.objects.create(key="pro", name="Pro", monthly_credits=100, stripe_product_id="prod_pro")
    told = invoices.invoice(invoices.NEW, lines=[invoices.line("price_pro")], id="in_1", customer="cus_ada")
    with clock.at(datetime.fromtimestamp(stripe_bodies.CREATED + 60, UTC)), ThreadPoolExecutor(1) as pool:
        deliver(stripe_bodies.event("invoice.finalized", told))
        find_obstacles = anonymising.anonymise_obstacles

        def pay():
            try:
                with clock.at(datetime.fromtimestamp(stripe_bodies.CREATED + 60, UTC)):
                    return deliver(stripe_bodies.event("invoice.paid", told | {"status": "paid"}))[0]
            finally:
                connections.close_all()

        def and_meanwhile(person):
            found = find_obstacles(person)
            meanwhile.append(pool.submit(pay))
            wait_for_a_waiter()
            return found

        meanwhile = []
        monkeypatch.setattr(anonymising, "anonymise_obstacles", and_meanwhile)
        forget(customer)
        paid = meanwhile[0].result()
    assert paid.state == EventState.PROCESSED, paid.error
    assert Invoice.objects.get().hosted_url == ""


def test_twice_is_once(person):
    forget(person)
    entries = AuditEntry.objects.count()
    assert forget(person).replayed
    assert AuditEntry.objects.count() == entries


def test_what_stands_in_the_way_is_said_and_nothing_is_emptied(person):
    accounts.lift_suspension(user_id=person.pk, reason="x", actor=None)
    services.place_hold(user_id=person.pk, amount=Decimal(1), idempotency_key="test:hold")
    StripeEvent.objects.update(state=EventState.FAILED, processed_at=None)
    with pytest.raises(AnonymiseRefused) as refused:
        forget(person)
    assert "credits are held" in str(refused.value) and "still to be processed: 1" in str(refused.value)
    assert StaffNote.objects.exists()
    merged = RetiredCustomer.objects.get()
    with pytest.raises(AnonymiseRefused, match="merged into"):
        forget(merged.user)
    with pytest.raises(UnknownCustomer):
        forget(StaffFactory())
    with pytest.raises(ReasonRefused):
        forget(person, reason=" ")


def test_if_one_app_fails_nothing_is_forgotten(person, monkeypatch):
    def fail(*, reason, **more):
        raise RuntimeError

    monkeypatch.setattr("accounts.services.anonymising.record", fail)
    before = set(traces())
    with pytest.raises(RuntimeError), transaction.atomic():
        forget(person)
    assert set(traces()) == before


STATEMENTS = [
    "UPDATE billing_stripeevent SET body = 'forged'::bytea",
    "UPDATE billing_stripeevent SET payload = '{}'",
    "UPDATE billing_stripeevent SET stripe_id = 'evt_forged'",
    "UPDATE accounts_retiredcustomer SET fate = 'merged'",
    "DELETE FROM accounts_retiredcustomer",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_can_be_emptied_can_still_not_be_rewritten(person, statement):
    with pytest.raises(Exception, match=r"permission denied|is refused"), transaction.atomic():
        connection.cursor().execute(statement)


def test_an_external_id_that_looks_like_a_hash_forges_nothing(person):
    forget(person)
    digest = RetiredCustomer.objects.get(pk=person.pk).former_id
    with pytest.raises(CustomerAnonymised):
        accounts.put_customer(external_id=digest, told={"email": "x@example.com"})
    with pytest.raises(IntegrityError), transaction.atomic():
        RetiredCustomer.objects.create(user=CustomerFactory(), fate="anonymised", former_id=digest)


@pytest.mark.django_db(transaction=True)
def test_the_product_that_tells_of_them_in_the_same_moment_leaves_no_trace():
    for turn in range(5):
        customer = CustomerFactory(external_id=f"{MARKS['external']}{turn}", email=f"{turn}{MARKS['email']}")
        told = {"email": f"{turn}{MARKS['email']}", "full_name": MARKS["name"]}

        def tell(name=customer.external_id, told=told):
            return accounts.put_customer(external_id=name, told=told)

        answers = at_once([tell, tell, lambda user=customer: forget(user), tell])
        for answer in (answers[0], answers[1], answers[3]):
            assert isinstance(answer, (accounts.PutResult, CustomerAnonymised)), answers
            assert not getattr(answer, "created", False)
    assert list(traces()) == []


@pytest.mark.django_db(transaction=True)
def test_many_who_forget_one_at_once_forget_them_once():
    customer = CustomerFactory()
    answers = at_once([lambda: forget(customer)] * 5)
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True, True]


def is_text(field):
    texts = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.GenericIPAddressField)
    return isinstance(field, texts) and not field.choices


def test_every_text_of_every_model_is_either_emptied_or_kept_for_a_reason():
    """Whoever adds a field with text says here what becomes of it: in the anonymiser of the app's offers."""
    ours = {config.label for config in apps.get_app_configs() if not config.name.startswith(("django", "allauth"))}
    # The log is evidence and names customers by id; the rest is the staff's.
    beside = {"audit", "axes", "csp", "django_structlog"}
    forgotten = []
    for model in apps.get_models():
        label = model._meta.label
        if model._meta.app_label not in ours - beside or model._meta.proxy:
            continue
        erased = {name for each in anonymisers for name in each.erased.get(label, ())}
        is_kept = any(label in each.kept for each in anonymisers)
        texts = {field.name for field in model._meta.concrete_fields if is_text(field)}
        assert erased <= {field.name for field in model._meta.concrete_fields}, label
        if texts - erased and not is_kept:
            forgotten.append((label, sorted(texts - erased)))
    assert forgotten == []


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=["accounts.view_customer", "accounts.anonymise_customer"])
    client.force_login(member)
    return member


def test_the_form_shows_the_effect_asks_for_the_email_and_does_it_once(client, staff, person):
    page = reverse("admin:accounts_customer_anonymise", args=[person.pk])
    given = {"retyped": MARKS["email"].lower(), "reason": "Asked for it", "token": TOKEN}
    shown = client.post(page, given).content.decode()
    assert "stays on the books, spent by nobody" in shown and "cannot be undone" in client.get(page).content.decode()
    wrong = client.post(page, given | {"retyped": "other@example.com", "confirm": "yes"})
    assert "not the email" in wrong.content.decode()
    assert not RetiredCustomer.objects.filter(pk=person.pk).exists()
    client.post(page, given | {"confirm": "yes"})
    assert RetiredCustomer.objects.get(pk=person.pk).fate == "anonymised"
    again = client.post(page, given | {"confirm": "yes"}, follow=True)
    assert "nothing was done again" in again.content.decode()
    profile = client.get(reverse("admin:accounts_customer_change", args=[person.pk]))
    assert '<span class="badge mute">Anonymised</span>' in profile.content.decode()
    assert not profile.context["has_change_permission"]


def test_the_form_needs_its_permission(client, person):
    client.force_login(StaffFactory(permissions=["accounts.change_customer", "accounts.merge_customers"]))
    assert client.get(reverse("admin:accounts_customer_anonymise", args=[person.pk])).status_code == 403


def run(*arguments):
    out = StringIO()
    call_command("anonymise_user", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("named", [MARKS["email"], MARKS["external"], "pk"])
def test_the_command_says_whom_it_means_and_does_it_when_told(person, named):
    named = str(person.pk) if named == "pk" else named
    assert "--yes" in run(named, "--reason", "Asked for it")
    assert User.objects.filter(email=MARKS["email"]).exists()
    assert run(named, "--reason", "Asked for it", "--yes").startswith(f"ok: customer {person.pk} is anonymised")
    assert "before" in run(str(person.pk), "--reason", "Asked for it", "--yes")
    with pytest.raises(CommandError):
        run("nobody@example.com", "--reason", "x", "--yes")


def test_parked_events_are_named_before_they_are_emptied(client, staff, person):
    intent = bought(customer=MARKS["stripe"])
    intent["metadata"] = {"user_id": "nobody", "credits": "5"}
    deliver(stripe_bodies.intent_succeeded(intent))
    page = reverse("admin:accounts_customer_anonymise", args=[person.pk])
    shown = client.post(page, {"retyped": MARKS["email"], "reason": "Asked for it", "token": TOKEN})
    assert json.dumps([str(change.label) for change in shown.context["changes"]]).count("Parked Stripe events") == 1
