"""Staff have Stripe's lists read, or all of one customer's: a form, a job, what came of it."""

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from billing.models import Payment, StripeEvent, SyncState
from billing.services import sync_jobs, syncing
from billing.services.customer_sync import sync_customer
from billing.services.syncing import SyncRefused
from billing.tests.flow import bought, bought_with, text_of
from billing.tests.stripe_bodies import CREATED, charge
from jobs.models import Job, JobState
from jobs.services import cancel_job, run_job
from tests.factories import CustomerFactory, StaffFactory
from tests.stripe_lists import Trouble

pytestmark = pytest.mark.django_db

LIST, FORM = reverse("admin:billing_syncstate_changelist"), reverse("admin:billing_stripe_sync")
TOKEN = "00000000-0000-4000-8000-000000000000"
MAY = ["billing.view_syncstate", "billing.sync_stripe", "accounts.view_customer"]


@pytest.fixture
def member(client):
    member = StaffFactory(permissions=MAY)
    client.force_login(member)
    return member


@pytest.fixture
def known():
    """A customer whom Stripe knows."""
    return CustomerFactory(external_id="u_ada", stripe_customer_id="cus_ada")


def told(**fields):
    return {"token": TOKEN, "reason": "the endpoint was dead", "only": ["payments", "refunds"]} | fields


def begun(member, **options):
    options = {"since": None, "only": [], "reason": "missed", "token": "once"} | options
    return sync_jobs.request_sync(actor=member, **options)


def test_the_form_says_what_is_read_and_a_second_click_does_not_read_it_twice(client, member, stripe_lists):
    assert "Payments, Refunds" in text_of(client.post(FORM, told()))
    assert Job.objects.count() == 0
    for _ in range(2):
        client.post(FORM, told(confirm="yes"))
    job = Job.objects.get()
    assert job.params == {"since": "", "only": ["payments", "refunds"]}
    assert AuditEntry.objects.get(action="jobs.start").reason == "the endpoint was dead"


def test_since_begins_with_the_day_where_the_reports_are_read(client, member, stripe_lists, settings):
    settings.REPORTING_TIME_ZONE = "Europe/Berlin"
    client.post(FORM, told(confirm="yes", since="2026-07-01"))
    assert Job.objects.get().params["since"] == "2026-07-01T00:00:00+02:00"


def test_the_job_books_what_was_missed_and_says_what_it_found(member, stripe_lists, customer):
    stripe_lists.put("payment_intents", bought(), bought_with("user_id", "nobody"))
    job = begun(member)
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, Payment.objects.count()) == (JobState.DONE, 1)
    assert job.message == (
        "2 objects read from Stripe, 2 of them told something new, 1 of those are parked or failed: "
        "look into Stripe events."
    )


def test_a_canceled_job_stops_between_two_pages_and_the_next_goes_on_there(member, stripe_lists, customer, monkeypatch):
    stripe_lists.page_size = 1
    stripe_lists.put("payment_intents", bought(id="pi_1", created=CREATED), bought(id="pi_2", created=CREATED))
    first = begun(member, only=["payments"])
    keep_page = syncing.keep_page

    def canceled_meanwhile(**page):
        cancel_job(job_id=first.pk, actor=member)
        return keep_page(**page)

    monkeypatch.setattr(syncing, "keep_page", canceled_meanwhile)
    run_job(job_id=first.pk)
    first.refresh_from_db()
    assert (first.state, Payment.objects.count()) == (JobState.CANCELED, 1)
    monkeypatch.undo()
    second = begun(member, only=["payments"], token="twice")
    run_job(job_id=second.pk)
    assert Payment.objects.count() == 2


def test_a_list_that_cannot_be_read_fails_the_job_with_stripes_words(member, stripe_lists):
    stripe_lists.trouble("refunds", Trouble(403, body={"error": {"message": "The key may not read refunds."}}))
    job = begun(member)
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "may not read refunds" in job.error


def test_without_a_key_page_and_form_say_so_and_nothing_is_queued(client, member, settings):
    assert "STRIPE_SECRET_KEY is not set" in text_of(client.get(LIST))
    assert FORM not in client.get(LIST).content.decode()
    for step in ({}, {"confirm": "yes"}):
        assert "STRIPE_SECRET_KEY is not set" in text_of(client.post(FORM, told(**step)))
    assert Job.objects.count() == 0


def test_the_page_shows_how_far_each_list_was_read(client, member, stripe_lists, customer, django_assert_num_queries):
    assert "Nothing was read from Stripe yet" in text_of(client.get(LIST))
    stripe_lists.put("payment_intents", bought())
    stripe_lists.trouble("refunds", Trouble(403, body={"error": {"message": "No <b>refunds</b>"}}))
    run_job(job_id=begun(member).pk)
    with django_assert_num_queries(6):
        page = client.get(LIST)
    assert "Checkout sessions" in text_of(page)
    assert "No &lt;b&gt;refunds&lt;/b&gt;" in page.content.decode()


def test_staff_without_the_permission_read_nothing(client, known, stripe_lists):
    client.force_login(StaffFactory(permissions=["billing.view_syncstate", "accounts.view_customer"]))
    assert FORM not in client.get(LIST).content.decode()
    for address in (FORM, reverse("admin:billing_customer_sync", args=[known.pk])):
        assert client.post(address, told(confirm="yes")).status_code == 403
    assert Job.objects.count() == 0


def test_all_that_stripe_knows_of_one_customer_is_read(known, stripe_lists):
    theirs = charge(amount_refunded=300, disputed=True, refunded=False)
    stripe_lists.put("customers", {"id": "cus_ada", "object": "customer", "livemode": False})
    stripe_lists.put(
        "payment_intents",
        bought(customer="cus_ada", id="pi_theirs", latest_charge=theirs),
        bought(customer="cus_ada", id="pi_calm"),
        bought(customer="cus_bob", id="pi_other"),
    )
    kept = sync_customer(stripe_customer_id="cus_ada")
    assert Payment.objects.count() == 2
    assert kept.found == 3
    of_payments = [(path, query["payment_intent"]) for path, query in stripe_lists.asked if "payment_intent" in query]
    assert of_payments == [("/v1/refunds", "pi_theirs"), ("/v1/disputes", "pi_theirs")]
    assert all(query.get("customer", "cus_ada") == "cus_ada" for _, query in stripe_lists.asked)


def test_the_button_of_a_customer_queues_it_once_with_an_audit_entry(client, member, known, stripe_lists):
    address = reverse("admin:billing_customer_sync", args=[known.pk])
    assert address in client.get(reverse("admin:accounts_customer_change", args=[known.pk])).content.decode()
    assert "all that Stripe knows of cus_ada" in text_of(client.post(address, told()))
    for _ in range(2):
        client.post(address, told(confirm="yes"))
    job = Job.objects.get()
    entry = AuditEntry.objects.get(action="billing.sync_customer")
    assert (entry.resource_id, entry.reason) == (str(known.pk), "the endpoint was dead")
    stripe_lists.put("customers", {"id": "cus_ada", "object": "customer", "livemode": False})
    stripe_lists.put("payment_intents", bought(customer="cus_ada"))
    run_job(job_id=job.pk)
    assert (Job.objects.get().state, Payment.objects.get().user_id) == (JobState.DONE, known.pk)


def test_a_customer_whom_stripe_does_not_know_is_refused_in_words(client, member, customer, stripe_lists):
    address = reverse("admin:billing_customer_sync", args=[customer.pk])
    assert address not in client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode()
    assert "Enter Stripe&#x27;s id" in client.post(address, told(confirm="yes")).content.decode()
    with pytest.raises(SyncRefused):
        sync_jobs.request_customer_sync(customer=customer, actor=member, reason="x", token="y")
    assert (Job.objects.count(), StripeEvent.objects.count(), SyncState.objects.count()) == (0, 0, 0)
