"""The inbox and the payments against the runtime role's real login, the owner's hand, and impossible rows."""

from datetime import UTC, datetime
from importlib import import_module

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from billing.envelopes import read_envelope
from billing.models import CreditPack, EventState, Payment, StripeEvent
from billing.tests.bodies import invoices
from billing.tests.flow import deliver
from billing.tests.stripe_bodies import encoded, event, intent_succeeded, payment_intent
from tests import databases
from tests.factories import CustomerFactory

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def booked():
    CustomerFactory(external_id="u_ada")
    deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "100"})))


def as_app():
    return psycopg.connect(
        databases.on_database(databases.app_url(), connection.settings_dict["NAME"]), autocommit=True
    )


DENIED_TO_APP = [
    *(
        f"UPDATE billing_stripeevent SET {column} = {column}"
        for column in (
            "stripe_id",
            "type",
            "livemode",
            "object_id",
            "payment_intent_id",
            "received_at",
        )
    ),
    "DELETE FROM billing_stripeevent",
    "TRUNCATE billing_stripeevent",
    "ALTER TABLE billing_stripeevent DISABLE TRIGGER ALL",
    "UPDATE billing_stripeevent SET invoice_id = invoice_id",
    "UPDATE billing_stripeevent SET subscription_id = subscription_id",
    "UPDATE billing_stripeevent SET source = source",
    "UPDATE billing_payment SET stripe_payment_id = stripe_payment_id",
    "DELETE FROM billing_payment",
    "TRUNCATE billing_payment",
    "UPDATE billing_refund SET payment_id = payment_id",
    "UPDATE billing_refund SET policy = policy",
    "UPDATE billing_refund SET actor_id = actor_id",
    "DELETE FROM billing_refund",
    "UPDATE billing_dispute SET payment_id = payment_id",
    "DELETE FROM billing_dispute",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", DENIED_TO_APP)
def test_the_runtime_role_is_denied(booked, statement):
    with as_app() as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(statement)


REFUSED_ONCE_PAID = [
    "UPDATE billing_payment SET user_id = user_id + 1",
    "UPDATE billing_payment SET amount_minor = amount_minor + 1",
    "UPDATE billing_payment SET currency = 'EUR', stripe_charge_id = 'ch_other'",
    "UPDATE billing_payment SET credits_purchased = credits_purchased + 1",
    "UPDATE billing_payment SET credits_purchased = 0, transaction_id = NULL",
    "UPDATE billing_payment SET status = 'pending'",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", REFUSED_ONCE_PAID)
def test_what_was_booked_for_a_payment_stays_as_it_was_booked(booked, statement):
    with as_app() as login, pytest.raises(psycopg.errors.RestrictViolation, match="evidence"):
        login.execute(statement)


REFUSED_TO_OWNER = [
    "UPDATE billing_stripeevent SET body = '\\x00'",
    "UPDATE billing_stripeevent SET payload = '{}'",
    "UPDATE billing_stripeevent SET payload = NULL, body = '\\x7b7d'",
    "UPDATE billing_stripeevent SET stripe_id = 'evt_other'",
    "UPDATE billing_stripeevent SET type = 'other', state = 'processed'",
    "DELETE FROM billing_stripeevent",
    "TRUNCATE billing_stripeevent CASCADE",
    "UPDATE billing_stripeevent SET invoice_id = 'in_other'",
    "UPDATE billing_stripeevent SET source = 'sync'",
    *REFUSED_ONCE_PAID,
    "UPDATE billing_payment SET id = id + 1",
    "UPDATE billing_payment SET stripe_payment_id = 'pi_other'",
    "UPDATE billing_payment SET transaction_id = transaction_id + 1",
    "UPDATE billing_payment SET created_at = '2001-01-01'",
    "DELETE FROM billing_payment",
    "TRUNCATE billing_payment CASCADE",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", REFUSED_TO_OWNER)
def test_the_guards_hold_against_the_owner_too(booked, statement):
    refused = pytest.raises(psycopg.errors.RestrictViolation, match="evidence")
    with databases.owner_connection(connection.settings_dict["NAME"]) as owner, refused:
        owner.execute(statement)


def is_impossible(model, **values):
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**values)
    return True


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        {"state": "lost"},
        {"settled_by_hand": True},
        {"state": EventState.PARKED, "processed_at": None},
        {"state": EventState.RECEIVED, "processed_at": None, "next_attempt_at": None},
        {"state": EventState.FAILED},
        {"next_attempt_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"attempts": -1},
        {"failures": 2},
    ],
)
def test_states_that_no_event_can_be_in_are_refused(booked, values):
    assert is_impossible(StripeEvent, **values)


@pytest.fixture
def pack():
    return CreditPack.objects.create(name="Small", credits=100, price_minor=1000, currency="USD")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        {"credits": 0},
        {"credits": -1},
        {"credits": 1_000_000_001},
        {"stripe_credits": 0},
        {"price_minor": -1},
        {"price_minor": 10**12 + 1},
        {"currency": "usd"},
        {"currency": "US"},
        {"stripe_price_id": ""},
        {"position": -1},
    ],
)
def test_packs_that_cannot_be_are_refused(pack, values):
    assert is_impossible(CreditPack, **values)


@pytest.mark.django_db
def test_a_pack_of_no_number_of_credits_is_refused(pack):
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_creditpack SET credits = 'NaN'")


@pytest.mark.django_db
def test_a_payment_intent_has_one_payment_and_an_entry_belongs_to_one(booked):
    copied = Payment.objects.get()
    copied.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copied.save(force_insert=True)
    copied.stripe_payment_id = "pi_other"
    with pytest.raises(IntegrityError), transaction.atomic():
        copied.save(force_insert=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values", [{"charge_refunded_minor": 1}, {"charge_refunded_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_what_went_back_by_the_charge_has_its_day_and_nothing_else_has_one(booked, values):
    assert is_impossible(Payment, **values)


@pytest.mark.django_db
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", ["sub_ada", {"id": "sub_ada", "object": "subscription"}])
def test_old_events_of_newer_invoices_learn_their_subscription_and_then_keep_it(named):
    told = invoices.invoice(invoices.NEW, lines=[], subscription=named)
    envelope = read_envelope(encoded(event("invoice.paid", told)))
    assert envelope.subscription_id == "sub_ada"
    kept = {"type": envelope.type, "payload": envelope.payload, "invoice_id": envelope.invoice_id}
    old, other = (
        StripeEvent.objects.create(
            stripe_id=f"evt_{number}", body=b"{}", livemode=False, next_attempt_at=MOMENT, **fields
        )
        for number, fields in enumerate([kept, kept | {"subscription_id": "sub_other"}])
    )
    migration = import_module("billing.migrations.0024_newer_invoices_know_their_subscription")
    with databases.owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(migration.FILL_FROZEN)
        known = dict(StripeEvent.objects.values_list("pk", "subscription_id"))
        assert known == {old.pk: "sub_ada", other.pk: "sub_other"}
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute("UPDATE billing_stripeevent SET subscription_id = ''")


def test_outcomes_may_change(booked):
    assert StripeEvent.objects.update(attempts=F("attempts") + 1) == 1


@pytest.mark.django_db
def test_details_of_a_payment_may_become_known(booked):
    assert Payment.objects.update(stripe_charge_id="ch_late", paid_at=datetime(2026, 1, 1, tzinfo=UTC)) == 1
