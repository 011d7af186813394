"""Reading Stripe's lists: what no delivery told of is booked, what was told is not booked twice, and a run goes on."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from accounts.models import CustomerFigures
from backoffice.lib import clock
from billing.errors import StripeCallFailed
from billing.models import EventSource, EventState, Payment, StripeEvent, SyncState
from billing.services.syncing import Watch, sync
from billing.stripe_lists import LONGEST_WAIT_SECONDS, MOST_TRIES, Reader
from billing.tests.flow import bought, deliver, payment, post
from billing.tests.stripe_bodies import CREATED, checkout_session, encoded, intent_succeeded, line_items
from credits import selectors as ledger
from credits.models import CreditAccount
from tests.stripe_lists import Trouble

pytestmark = pytest.mark.django_db


@pytest.fixture
def naps():
    return []


@pytest.fixture
def reader(stripe_lists, naps):
    return Reader(sleep=naps.append)


def synced(**options):
    """What came of each list that had something in it."""
    return {ended.label: ended for ended in sync(**{"since": None} | options) if ended.found or ended.error}


def balance():
    return CreditAccount.objects.get().balance


def meaning():
    """All that matters to anybody, without when it was written."""
    figures = CustomerFigures.objects.order_by("pk").values_list("user_id", "spend_minor", "balance")
    columns = [
        field.attname
        for field in Payment._meta.fields
        if field.attname not in ("updated_at", "created_at", "fee_due_at")
    ]
    return list(figures), list(Payment.objects.order_by("pk").values(*columns))


def test_a_payment_that_no_delivery_told_of_is_found_and_booked(stripe_lists, customer):
    stripe_lists.put("payment_intents", bought())
    assert (synced()["Payments"].new, payment().amount_minor, balance()) == (1, 1000, Decimal(100))
    event = StripeEvent.objects.get()
    assert (event.type, event.source, event.state) == ("payment_intent.succeeded", EventSource.SYNC, "processed")


def test_a_session_is_found_with_what_was_bought_in_it(stripe_lists, customer, pack):
    intent = bought()
    intent["metadata"] = {}
    stripe_lists.put("payment_intents", intent)
    session = checkout_session(intent["id"], metadata={"user_id": "u_ada"}, line_items=line_items(("price_small", 2)))
    stripe_lists.put("checkout/sessions", session)
    synced()
    assert payment().credits_purchased == 200


def test_after_every_delivery_came_a_sync_changes_no_meaning(stripe_lists, customer):
    intents = [bought(amount=amount) for amount in (1000, 2500, 400)]
    deliver(*(intent_succeeded(intent) for intent in intents))
    before = meaning()
    stripe_lists.put("payment_intents", *intents)
    assert synced()["Payments"].held_up == 0
    assert meaning() == before
    assert list(ledger.verify()) == []


def test_a_delivery_after_the_sync_changes_no_meaning_either(stripe_lists, customer):
    intent = bought()
    stripe_lists.put("payment_intents", intent)
    synced()
    [late] = deliver(intent_succeeded(intent))
    assert (late.state, balance(), Payment.objects.count()) == (EventState.PROCESSED, 100, 1)


def test_the_same_state_is_kept_once_and_a_state_that_comes_back_is_told_again(stripe_lists, customer):
    intent = bought()
    for day, told in enumerate([intent, intent, intent | {"description": "A"}, intent, intent]):
        stripe_lists.put("payment_intents", told)
        stripe_lists.now = CREATED + day * 86_400
        synced()
    told = [event.payload["data"]["object"]["description"] for event in StripeEvent.objects.order_by("pk")]
    assert told == [None, "A", None]


def test_what_was_read_is_dated_by_stripes_clock(stripe_lists, customer):
    stripe_lists.put("payment_intents", bought())
    stripe_lists.now = CREATED
    synced()
    assert StripeEvent.objects.get().stripe_created == datetime.fromtimestamp(CREATED, UTC)


def test_an_address_that_is_new_at_each_look_is_no_news(stripe_lists, customer):
    intent = bought()
    for number, secret in enumerate(("pi_secret_1", "pi_secret_2")):
        stripe_lists.now = CREATED + number
        stripe_lists.put("payment_intents", intent | {"client_secret": secret})
        synced()
    assert StripeEvent.objects.count() == 1


def test_events_of_stripe_itself_are_kept_under_their_own_ids(stripe_lists, customer):
    event = intent_succeeded(bought())
    stripe_lists.put("events", event, event | {"id": "evt_other", "type": "balance.available"})
    assert synced()["Events"].new == 1
    stored = StripeEvent.objects.get()
    assert (stored.stripe_id, stored.stripe_created) == (event["id"], datetime.fromtimestamp(CREATED, UTC))
    # Delivered after all, it is known.
    assert post(encoded(event)).content == b"This event is kept already."


def test_a_bad_object_is_told_and_the_others_go_on(stripe_lists, customer):
    nul = bought(description="a\x00b")
    stripe_lists.put("payment_intents", nul, {"object": "payment_intent"}, "nonsense", bought(status=["?"]), bought())
    ended = synced()["Payments"]
    assert (ended.found, ended.held_up, Payment.objects.count()) == (5, 3, 1)
    assert StripeEvent.objects.get(payload__isnull=True).state == EventState.PARKED


def test_since_leaves_out_what_is_older_but_subscriptions_are_read_whole(stripe_lists, customer):
    stripe_lists.put("payment_intents", bought(created=CREATED - 90_000), bought(created=CREATED))
    synced(since=datetime.fromtimestamp(CREATED - 100, UTC))
    assert Payment.objects.count() == 1
    asked = {path: "created[gte]" in query for path, query in stripe_lists.asked}
    assert asked == {path: not path.endswith(("products", "prices", "subscriptions")) for path in asked}
    assert ("/v1/subscriptions", "all") in [(path, query.get("status")) for path, query in stripe_lists.asked]


def test_only_some_lists_are_read_when_told(stripe_lists, customer):
    sync(since=None, only=["payments", "refunds"])
    assert stripe_lists.paths() == ["/v1/payment_intents", "/v1/refunds"]


class Killed(BaseException):
    """The process ends here."""


def kill_after(objects):
    def progress(read):
        if read >= objects:
            raise Killed

    return Watch(progress=progress)


def test_a_killed_run_goes_on_where_it_was_and_finds_what_came_meanwhile(stripe_lists, customer):
    stripe_lists.page_size = 2
    stripe_lists.put("customers", {"id": "cus_1", "object": "customer", "created": CREATED})
    intents = [bought(id=f"pi_{number}", created=CREATED + number) for number in range(6)]
    stripe_lists.put("payment_intents", *intents)
    with pytest.raises(Killed):
        sync(since=None, watch=kill_after(5))
    assert Payment.objects.count() == 4
    now = int(clock.now().timestamp())
    stripe_lists.put("payment_intents", bought(id="pi_new", created=now + 5))
    stripe_lists.asked.clear()
    assert synced()["Payments"].found == 7
    assert Payment.objects.count() == 7
    # The customers were read to the end before, and of the payments only what was left.
    assert "/v1/customers" not in stripe_lists.paths()
    continued = [query.get("starting_after") for path, query in stripe_lists.asked if path.endswith("payment_intents")]
    assert continued == [None, "pi_2"]


def test_a_run_that_ended_is_followed_by_one_from_the_top(stripe_lists, customer):
    synced()
    stripe_lists.put("payment_intents", bought())
    assert synced()["Payments"].new == 1


def test_a_run_whose_place_was_deleted_begins_that_list_again(stripe_lists, customer):
    stripe_lists.page_size = 1
    stripe_lists.put("payment_intents", bought(id="pi_1"), bought(id="pi_2"))
    with pytest.raises(Killed):
        sync(since=None, watch=kill_after(1))
    SyncState.objects.filter(resource="payments").update(starting_after="pi_gone")
    synced()
    assert Payment.objects.count() == 2


def test_it_waits_as_long_as_stripe_says_and_goes_on(stripe_lists, customer, reader, naps):
    said = []
    reader.say = said.append
    stripe_lists.put("payment_intents", bought())
    stripe_lists.trouble(
        "payment_intents", Trouble(429, {"Retry-After": "7"}), Trouble(429), Trouble(503), Trouble(503)
    )
    assert synced(reader=reader)["Payments"].new == 1
    assert naps == [7, 2, 4]
    assert said[0] == "Stripe is asked too often. Going on in 7 s."


@pytest.mark.parametrize("header", ["soon", "-1", "nan", "inf", ""])
def test_a_wait_that_makes_no_sense_is_not_kept_to(stripe_lists, customer, reader, naps, header):
    stripe_lists.trouble("payment_intents", Trouble(429, {"Retry-After": header}))
    sync(since=None, only=["payments"], reader=reader)
    assert naps == [1]


def test_it_waits_for_nobody_longer_than_two_minutes(stripe_lists, customer, reader, naps):
    stripe_lists.trouble("payment_intents", Trouble(429, {"Retry-After": "86400"}))
    sync(since=None, only=["payments"], reader=reader)
    assert naps == [LONGEST_WAIT_SECONDS]


def test_when_stripe_stays_busy_it_gives_up_says_so_and_goes_on_next_time(stripe_lists, customer, reader):
    stripe_lists.put("payment_intents", bought())
    stripe_lists.trouble("payment_intents", *[Trouble(429)] * MOST_TRIES)
    with pytest.raises(StripeCallFailed, match="Try again later"):
        sync(since=None, reader=reader)
    state = SyncState.objects.get(resource="payments")
    assert (state.finished_at, "in vain" in state.error) == (None, True)
    assert synced()["Payments"].new == 1
    assert "/v1/customers" not in stripe_lists.paths()[-4:]


def test_one_list_that_may_not_be_read_keeps_nothing_from_the_others(stripe_lists, customer):
    stripe_lists.put("refunds", {"id": "re_1", "object": "refund"})
    stripe_lists.put("payment_intents", bought())
    stripe_lists.trouble("customers", Trouble(403, body={"error": {"message": "The key may not read customers"}}))
    ended = synced()
    assert "may not read customers" in ended["Customers"].error
    assert ended["Payments"].new == 1
    with pytest.raises(CommandError, match="Not read to the end: Customers"):
        stripe_lists.trouble("customers", Trouble(403, body={"error": {"message": "No"}}))
        call_command("stripe_sync")


def test_what_somebody_was_promised_to_have_forgotten_is_not_fetched_back(stripe_lists, customer):
    intent = bought(customer="cus_gone")
    deliver(intent_succeeded(intent))
    StripeEvent.objects.update(body=b"", payload=None, error="")
    stripe_lists.put("payment_intents", intent)
    stripe_lists.put("customers", {"id": "cus_gone", "object": "customer", "email": "ada@example.com"})
    stripe_lists.put("events", intent_succeeded(intent))
    synced()
    assert StripeEvent.objects.count() == 1


def test_of_a_customer_nothing_is_kept_but_whose_they_are(stripe_lists, customer):
    told = {"id": "cus_1", "object": "customer", "email": "ada@example.com", "name": "Ada", "livemode": False}
    stripe_lists.put("customers", told | {"metadata": {"user_id": "u_ada"}}, told | {"id": "cus_2", "metadata": {}})
    synced()
    event = StripeEvent.objects.get()
    customer.refresh_from_db()
    assert (event.object_id, customer.stripe_customer_id) == ("cus_1", "cus_1")
    assert set(event.payload["data"]["object"]) == {"id", "object", "livemode", "metadata"}


def test_the_command_tells_each_list_and_refuses_what_is_no_list(stripe_lists, customer, capsys):
    stripe_lists.put("payment_intents", bought())
    call_command("stripe_sync", "--since", "2025-01-01", "--only", "payments,refunds")
    assert capsys.readouterr().out == "Payments: 1 found, 1 new\nRefunds: 0 found, 0 new\n"
    for wrong in (["--only", "payments,moonbeams"], ["--since", "yesterday"]):
        with pytest.raises(CommandError):
            call_command("stripe_sync", *wrong)


def test_without_a_key_or_with_one_of_the_other_mode_it_says_so_and_reads_nothing(stripe_lists, settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY is not set"):
        call_command("stripe_sync")
    settings.STRIPE_SECRET_KEY = "rk_live_1"
    with pytest.raises(CommandError, match="a key of Stripe's live mode, and this is the test one"):
        call_command("stripe_sync")
    assert stripe_lists.asked == []


def test_localstripe_is_read_too_and_what_it_does_not_have_is_told(stripe_server, customer):
    payer = stripe_server.customer()
    stripe_server.payment(payer, metadata={"user_id": "u_ada", "credits": "100"})
    stripe_server.payment(payer, metadata={"user_id": "u_ada", "credits": "50"})
    ended = synced()
    assert (ended["Payments"].found, balance()) == (2, 150)
    assert {label for label, one in ended.items() if one.error} == {"Prices", "Checkout sessions", "Disputes"}
    before = meaning()
    synced()
    assert meaning() == before
