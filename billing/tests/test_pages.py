"""The pages of billing as staff with few or many rights see them."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from billing import selectors
from billing.models import CreditPack, EventState, Payment, StripeEvent
from billing.services.payments import PaymentDetails, Purchase, book_payment
from billing.tests.flow import deliver, payment, post
from billing.tests.stripe_bodies import (
    charge,
    checkout_session,
    encoded,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

PAYMENTS = reverse("admin:billing_payment_changelist")
EVENTS = reverse("admin:billing_stripeevent_changelist")
PACKS = reverse("admin:billing_creditpack_changelist")
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def reader(client):
    member = StaffFactory(permissions=["billing.view_payment", "billing.view_stripeevent", "billing.view_creditpack"])
    client.force_login(member)
    return member


@pytest.fixture
def customer():
    return CustomerFactory(external_id="u_ada", email="Ada@example.com")


def paid(customer, number=1, **fields):
    return book_payment(
        purchase=Purchase(
            user_id=customer.pk,
            stripe_payment_id=f"pi_{number}",
            amount_minor=fields.get("amount_minor", 1234),
            currency=fields.get("currency", "USD"),
            credits=Decimal(100),
            details=PaymentDetails(paid_at=clock.now() - timedelta(days=number), charge_id=f"ch_{number}"),
        )
    )


def shown(response):
    return [row.pk for row in response.context["cl"].result_list]


def page_of(record):
    return reverse(f"admin:billing_{record._meta.model_name}_change", args=[record.pk])


def text_of(response):
    return re.sub(r"<[^>]+>|\s+", " ", response.content.decode())


def test_the_newest_payments_come_first_and_amounts_are_shown_in_their_currency(client, reader, customer):
    rows = [paid(customer, 2), paid(customer, 1, amount_minor=500, currency="JPY")]
    response = client.get(PAYMENTS)
    assert shown(response) == [row.pk for row in rows[::-1]]
    assert "$12.34" in text_of(response)
    assert "¥500" in text_of(response)
    assert "Ada@example.com" in text_of(response)


def test_payments_are_found_by_email_and_exact_id(client, reader, customer):
    mine = paid(customer, 1)
    other = paid(CustomerFactory(), 2)
    assert shown(client.get(PAYMENTS, {"q": "ada@EXAMPLE.com"})) == [mine.pk]
    assert shown(client.get(PAYMENTS, {"q": " pi_2 "})) == [other.pk]
    assert shown(client.get(PAYMENTS, {"q": "ch_1"})) == [mine.pk]
    for nothing in ("pi_", "a", "ada@example", "%"):
        assert shown(client.get(PAYMENTS, {"q": nothing})) == []
    assert shown(client.get(PAYMENTS, {"user__exact": customer.pk})) == [mine.pk]


def test_the_payments_list_takes_the_same_number_of_queries_for_few_and_many(
    client, reader, customer, django_assert_num_queries
):
    paid(customer, 1)
    client.get(PAYMENTS)
    with django_assert_num_queries(9):
        client.get(PAYMENTS)
    for number in range(2, 70):
        paid(CustomerFactory(), number)
    with django_assert_num_queries(9):
        client.get(PAYMENTS)


def test_the_inbox_takes_the_same_number_of_queries_for_few_and_many(client, reader, django_assert_num_queries):
    post(encoded(intent_succeeded(payment_intent())))
    client.get(EVENTS)
    with django_assert_num_queries(9):
        client.get(EVENTS)
    for _ in range(70):
        post(encoded(intent_succeeded(payment_intent())))
    with django_assert_num_queries(9) as queries:
        client.get(EVENTS)
    assert not any('"payload"' in query["sql"] or '"body"' in query["sql"] for query in queries.captured_queries)


def test_a_payment_leads_to_its_customer_entry_events_and_stripe(client, reader, customer, settings):
    deliver(intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada", "credits": "100"})))
    content = client.get(page_of(payment())).content.decode()
    for address in (
        reverse("admin:accounts_customer_change", args=[customer.pk]),
        reverse("admin:credits_credittransaction_change", args=[payment().transaction_id]),
        page_of(StripeEvent.objects.get()),
        "https://dashboard.stripe.com/test/payments/pi_1",
    ):
        assert f'href="{address}"' in content
    settings.STRIPE_LIVEMODE = True
    assert 'href="https://dashboard.stripe.com/payments/pi_1"' in client.get(page_of(payment())).content.decode()


def test_the_inbox_filters_by_state_type_and_mode(client, reader, customer):
    (parked,) = deliver(session_completed(checkout_session("pi_1")))
    (other,) = deliver(event("charge.succeeded", charge()))
    (live,) = deliver(event("charge.succeeded", charge(), livemode=True))
    assert shown(client.get(EVENTS)) == [live.pk, other.pk, parked.pk]
    assert shown(client.get(EVENTS, {"state__exact": "parked"})) == [parked.pk]
    assert shown(client.get(EVENTS, {"type": "checkout.session.completed"})) == [parked.pk]
    assert shown(client.get(EVENTS, {"type": "others"})) == [live.pk, other.pk]
    assert shown(client.get(EVENTS, {"livemode__exact": "1"})) == [live.pk]


def test_events_are_found_by_exact_id_of_event_payment_and_session(client, reader):
    session = checkout_session("pi_1", id="cs_1")
    (stored, other) = deliver(session_completed(session, id="evt_1"), intent_succeeded(payment_intent(id="pi_2")))
    for term in ("evt_1", "pi_1", "cs_1", " evt_1 "):
        assert shown(client.get(EVENTS, {"q": term})) == [stored.pk]
    assert shown(client.get(EVENTS, {"q": "pi_2"})) == [other.pk]
    for nothing in ("evt_", "cs", "%", "'"):
        assert shown(client.get(EVENTS, {"q": nothing})) == []


def test_hostile_text_in_an_event_is_shown_as_text(client, reader):
    intent = payment_intent(metadata={"user_id": SCRIPT, "credits": "1"}, description=SCRIPT)
    (stored,) = deliver(intent_succeeded(intent))
    for page in (EVENTS, page_of(stored)):
        content = client.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in content
        assert SCRIPT not in content


def test_an_event_without_json_shows_its_bytes(client, reader):
    post(encoded(event("customer.updated", {"id": "cus_1", "name": "HERE"})).replace(b"HERE", b"\\u0000<b>"))
    content = client.get(page_of(StripeEvent.objects.get())).content.decode()
    assert "\\u0000&lt;b&gt;" in content


def test_the_sidebar_counts_what_waits_for_someone(client, reader, customer):
    deliver(session_completed(checkout_session("pi_1")), event("charge.succeeded", charge()))
    deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "1"})))
    assert selectors.events_needing_attention() == 1
    content = client.get(PAYMENTS).content.decode()
    assert re.search(r"Stripe events\s*</span>\s*<span[^>]*>\s*1\b", content)


def test_the_count_of_what_waits_is_capped():
    StripeEvent.objects.bulk_create(
        StripeEvent(
            stripe_id=f"evt_{n}", type="x", livemode=False, body=b"", state=EventState.PARKED, processed_at=clock.now()
        )
        for n in range(selectors.BADGE_LIMIT + 5)
    )
    assert selectors.events_needing_attention() == selectors.BADGE_LIMIT


@pytest.mark.parametrize("verb", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_nobody_writes_payments_or_events_by_hand(client, customer, verb):
    client.force_login(StaffFactory(is_superuser=True))
    row = paid(customer)
    post(encoded(intent_succeeded(payment_intent())))
    for base, pk in ((PAYMENTS, row.pk), (EVENTS, StripeEvent.objects.get().pk)):
        assert client.post(base + verb.format(pk=pk), {"amount_minor": "1", "state": "processed"}).status_code == 403
    assert Payment.objects.get().amount_minor == 1234
    assert StripeEvent.objects.get().state == EventState.RECEIVED


@pytest.mark.parametrize("page", [PAYMENTS, EVENTS, PACKS])
def test_each_list_needs_its_permission(client, page):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(page).status_code == 403


def test_the_customer_page_shows_the_latest_payments(client, customer):
    rows = [paid(customer, number) for number in range(1, 13)]
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "billing.view_payment"]))
    content = client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode()
    assert [f'href="{page_of(row)}"' in content for row in rows] == [True] * 10 + [False] * 2
    assert f'href="{PAYMENTS}?user__exact={customer.pk}"' in content


def test_the_customer_page_hides_payments_from_those_who_may_not_see_them(client, customer):
    row = paid(customer)
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    content = client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode()
    assert page_of(row) not in content


# Replay


@pytest.fixture
def replayer(client):
    member = StaffFactory(permissions=["billing.view_stripeevent", "billing.replay_stripeevent"])
    client.force_login(member)
    return member


@pytest.fixture
def parked():
    (stored,) = deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "100"})))
    assert stored.state == EventState.PARKED
    return stored


def replay_of(stored):
    return reverse("admin:billing_stripeevent_replay", args=[stored.pk])


def filled(**more):
    return {"reason": "The customer is here now", "token": str(uuid.uuid4()), **more}


def test_a_replay_shows_what_it_does_and_does_nothing_before_it_is_confirmed(client, replayer, parked):
    CustomerFactory(external_id="u_ada")
    assert f'href="{replay_of(parked)}"' in client.get(page_of(parked)).content.decode()
    response = client.post(replay_of(parked), filled())
    assert "processed once more" in text_of(response)
    assert not Payment.objects.exists()


def test_a_replay_processes_the_event_and_is_audited(client, replayer, parked):
    customer = CustomerFactory(external_id="u_ada")
    response = client.post(replay_of(parked), filled(confirm="yes"), follow=True)
    assert "has taken effect" in text_of(response)
    parked.refresh_from_db()
    assert (parked.state, parked.error, parked.attempts) == (EventState.PROCESSED, "", 2)
    assert payment().user_id == customer.pk
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.reason) == (
        "billing.replay_event",
        replayer.pk,
        "The customer is here now",
    )
    assert (entry.resource_type, entry.resource_id) == ("billing.stripeevent", str(parked.pk))
    assert entry.resource_label == parked.stripe_id
    assert entry.old_values["state"] == "parked"
    page = text_of(client.get(page_of(parked)))
    assert f"by {replayer.email}: The customer is here now" in page
    assert "Replay event" not in page


def test_a_replay_in_vain_says_why(client, replayer, parked):
    response = client.post(replay_of(parked), filled(confirm="yes"), follow=True)
    assert "u_ada" in text_of(response)
    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == (EventState.PARKED, 2)


@pytest.mark.parametrize("state", [EventState.FAILED, EventState.IGNORED])
def test_failed_and_ignored_events_can_be_replayed(client, replayer, customer, state):
    intent = payment_intent(metadata={"user_id": "u_ada", "credits": "100"})
    post(encoded(intent_succeeded(intent)))
    rest = None if state == EventState.FAILED else clock.now()
    StripeEvent.objects.update(state=state, processed_at=rest, next_attempt_at=None)
    client.post(replay_of(StripeEvent.objects.get()), filled(confirm="yes"))
    assert StripeEvent.objects.get().state == EventState.PROCESSED
    assert payment().credits_purchased == 100


def test_an_event_that_took_effect_cannot_be_replayed(client, replayer, customer):
    (stored,) = deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "100"})))
    assert replay_of(stored) not in client.get(page_of(stored)).content.decode()
    for form in (filled(), filled(confirm="yes")):
        assert "processed cannot be replayed" in text_of(client.post(replay_of(stored), form))
    assert not AuditEntry.objects.exists()
    stored.refresh_from_db()
    assert stored.attempts == 1


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_a_replay_needs_a_reason(client, replayer, parked, reason):
    response = client.post(replay_of(parked), filled(reason=reason, confirm="yes"))
    assert response.context["form"].errors["reason"]
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_replay_needs_its_permission(client, reader, parked, method):
    assert replay_of(parked) not in client.get(page_of(parked)).content.decode()
    assert getattr(client, method)(replay_of(parked), filled(confirm="yes")).status_code == 403
    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == (EventState.PARKED, 1)


def test_a_replay_needs_the_token_of_the_form(replayer, parked):
    from django.test import Client  # noqa: PLC0415

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(replayer)
    assert strict.post(replay_of(parked), filled(confirm="yes")).status_code == 403
    assert not AuditEntry.objects.exists()


def test_an_event_that_is_gone_is_not_found(client, replayer):
    assert client.post(reverse("admin:billing_stripeevent_replay", args=[10**12]), filled()).status_code == 404


# Packs


@pytest.fixture
def keeper(client):
    verbs = ("view", "add", "change", "delete")
    member = StaffFactory(permissions=[f"billing.{verb}_creditpack" for verb in verbs])
    client.force_login(member)
    return member


def pack_form(**more):
    return {
        "name": "Small",
        "credits": "100",
        "price": "10.00",
        "currency": "USD",
        "stripe_price_id": "price_1",
        "is_active": "on",
        "position": "0",
        **more,
    }


def test_a_pack_is_added_changed_and_deleted_with_an_audit_entry_each(client, keeper):
    client.post(PACKS + "add/", pack_form())
    pack = CreditPack.objects.get()
    assert (pack.credits, pack.price_minor, pack.currency, pack.stripe_price_id) == (100, 1000, "USD", "price_1")
    assert "$10.00" in text_of(client.get(PACKS))
    client.post(page_of(pack), pack_form(price="12.5"))
    pack.refresh_from_db()
    assert pack.price_minor == 1250
    client.post(reverse("admin:billing_creditpack_delete", args=[pack.pk]), {"post": "yes"})
    assert not CreditPack.objects.exists()
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == ["record.add", "record.change", "record.delete"]
    assert (entries[1].old_values, entries[1].new_values) == ({"price": "10.00"}, {"price": "12.5"})


def test_saving_a_pack_as_it_is_audits_nothing(client, keeper):
    client.post(PACKS + "add/", pack_form())
    client.post(page_of(CreditPack.objects.get()), pack_form())
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(("price", "currency", "minor"), [("500", "JPY", 500), ("1.250", "KWD", 1250), ("0", "USD", 0)])
def test_a_price_is_kept_in_minor_units(client, keeper, price, currency, minor):
    client.post(PACKS + "add/", pack_form(price=price, currency=currency))
    assert CreditPack.objects.get().price_minor == minor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("credits", "0"),
        ("credits", "-1"),
        ("credits", "NaN"),
        ("credits", "0.00001"),
        ("credits", "9" * 30),
        ("credits", "1000000001"),
        ("price", "-1"),
        ("price", "NaN"),
        ("price", "0.001"),
        ("price", "9" * 30),
        ("price", "1e40"),
        ("price", ""),
        ("currency", "usd"),
        ("currency", "XXQ"),
        ("currency", ""),
        ("name", ""),
        ("name", "a\x00b"),
        ("position", "-1"),
        ("stripe_price_id", "x" * 300),
    ],
)
def test_a_pack_that_cannot_be_is_refused_in_words(client, keeper, field, value):
    response = client.post(PACKS + "add/", pack_form(**{field: value}))
    assert response.status_code == 200
    assert response.context["errors"]
    assert not CreditPack.objects.exists()


def test_a_stripe_price_belongs_to_one_pack_and_may_be_left_out(client, keeper):
    for name in ("A", "B"):
        client.post(PACKS + "add/", pack_form(name=name, stripe_price_id=""))
    assert CreditPack.objects.filter(stripe_price_id=None).count() == 2
    client.post(PACKS + "add/", pack_form())
    assert client.post(PACKS + "add/", pack_form()).context["errors"]
    assert CreditPack.objects.count() == 3
