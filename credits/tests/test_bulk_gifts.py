"""Credits for many at once: each customer once, whatever happens to workers, and taken back as far as they are left."""

import multiprocessing
import os
import signal
import time
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection, connections

from accounts import services as accounts
from accounts.models import RetiredCustomer, User
from audit.models import AuditEntry
from backoffice.lib.work import job_kinds
from credits import selectors, services
from credits.admin import bulk_gift
from credits.models import CreditTransaction
from credits.services import bulk_gifts
from jobs import services as jobs
from jobs import tasks
from jobs.models import Job, JobItem, JobState
from jobs.tests.test_pages import address, confirmed, text, token_of
from jobs.tests.test_running import wait_until_the_server_noticed
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once, while_another_waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def giver(db):
    return StaffFactory(permissions=["credits.gift_credits", "accounts.view_customer"])


def people(count, **fields):
    return [CustomerFactory(**fields) for _ in range(count)]


def drafted(giver, customers):
    targets = User.objects.filter(pk__in=[customer.pk for customer in customers])
    return jobs.draft_job(kind=bulk_gift.GIFT, actor=giver, targets=targets)


def queued(giver, customers, amount="5", **params):
    job = drafted(giver, customers)
    given = {"amount": amount, "expires_at": None, **params}
    return jobs.start_bulk(job_id=job.pk, actor=giver, params=given, reason="Sorry for the outage")


def done(giver, customers, **params):
    job = queued(giver, customers, **params)
    jobs.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def balances(customers):
    return [selectors.balance_of(customer.pk).balance for customer in customers]


def undone(giver, job):
    back = jobs.undo_job(job_id=job.pk, actor=giver, reason="The wrong ones")
    jobs.run_job(job_id=back.pk)
    back.refresh_from_db()
    assert back.state == JobState.DONE, back.error
    return back


def test_each_customer_is_given_the_amount_once_with_who_and_why(giver):
    customers = people(3)
    job = done(giver, customers)
    assert balances(customers) == [5, 5, 5]
    entries = CreditTransaction.objects.all()
    assert {(entry.kind, entry.actor_id, entry.description, entry.reference) for entry in entries} == {
        ("gift", giver.pk, "Sorry for the outage", f"job:{job.pk}")
    }
    [started] = AuditEntry.objects.all()
    assert (started.action, started.actor_id, started.reason) == ("jobs.start", giver.pk, "Sorry for the outage")
    assert started.new_values["params"]["amount"] == "5"
    assert list(selectors.verify()) == []


def test_demo_customers_are_left_out_and_told_of(giver):
    demo, customer = CustomerFactory(demo_mode=True), CustomerFactory()
    job = done(giver, [demo, customer])
    assert (job.done, job.refused) == (2, 1)
    item = JobItem.objects.get(job=job, target_id=demo.pk)
    assert "demo customer" in item.note
    assert balances([demo, customer]) == [0, 5]


def test_who_was_merged_or_anonymised_is_given_nothing(giver):
    gone, customer = people(2)
    RetiredCustomer.objects.create(user_id=gone.pk, fate="anonymised")
    job = done(giver, [gone, customer])
    assert "anonymised" in JobItem.objects.get(job=job, target_id=gone.pk).note
    assert balances([gone, customer]) == [0, 5]


def test_a_gift_of_a_while_lapses_and_one_that_has_lapsed_before_it_is_given_is_refused(giver):
    customers = people(2)
    done(giver, customers, expires_at="2090-01-01T00:00:00+00:00")
    late = done(giver, customers, expires_at="2020-01-01T00:00:00+00:00")
    assert late.refused == 2
    assert balances(customers) == [5, 5]


def test_the_form_shows_who_gets_how_much_and_who_does_not(client, giver):
    customers = [*people(2, full_name="Ada"), CustomerFactory(demo_mode=True)]
    client.force_login(giver)
    job = drafted(giver, customers)
    form = address(job, "prepare")
    fields = {"amount": "2.5", "reason": "Sorry", "last_day": ""}
    shown = client.post(form, {"token": token_of(client.get(form)), **fields})
    assert [(change.label, _text(change.after)) for change in shown.context["changes"]] == [
        ("Customers", "2: Ada, Ada"),
        ("Left out", "1 demo customers, whose credits are not counted"),
        ("Credits for each", "+2.5"),
        ("Credits in total", "5"),
    ]
    confirmed(client, form, **fields)
    jobs.run_job(job_id=job.pk)
    assert balances(customers) == [Decimal("2.5"), Decimal("2.5"), 0]
    assert "Credits for each 2.5" in text(client, address(job))


def _text(value):
    return str(value).partition(">")[2].partition("<")[0] if "<" in str(value) else str(value)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1e5", "1_000", "9" * 40, "0.00001", ""])
def test_an_amount_that_is_none_is_refused_in_the_form(client, giver, amount):
    client.force_login(giver)
    job = drafted(giver, people(1))
    form = address(job, "prepare")
    fields = {"amount": amount, "reason": "Sorry", "token": token_of(client.get(form)), "confirm": "yes"}
    assert client.post(form, fields).context["form"].errors["amount"]
    job.refresh_from_db()
    assert job.state == JobState.DRAFT


def test_undoing_takes_back_what_is_left_of_each_gift_and_nothing_else(giver):
    untouched, spender, rich = people(3)
    services.gift_credits(
        user_id=rich.pk, amount=Decimal(7), reason="before", actor=giver, idempotency_key="test:before"
    )
    job = done(giver, [untouched, spender, rich])
    services.charge_credits(user_id=spender.pk, amount=Decimal(3), idempotency_key="test:spent")
    services.charge_credits(user_id=rich.pk, amount=Decimal(7), idempotency_key="test:spent-too")
    back = undone(giver, job)
    assert balances([untouched, spender, rich]) == [0, 0, 0]
    notes = dict(JobItem.objects.filter(job=back).values_list("target_id", "note"))
    assert notes == {untouched.pk: "-5 credits", spender.pk: "-2 credits", rich.pk: "-5 credits"}
    assert list(selectors.verify()) == []


def test_the_job_leads_to_its_entries_and_each_entry_to_the_job(client, giver):
    job = done(giver, people(2))
    client.force_login(StaffFactory(is_superuser=True))
    entries = f"/admin/credits/credittransaction/?q=job%3A{job.pk}"
    for name in ("change", "progress"):
        assert entries in client.get(address(job, name)).content.decode()
    assert client.get(entries).context["cl"].result_count == 2
    entry = CreditTransaction.objects.latest("pk")
    page = client.get(f"/admin/credits/credittransaction/{entry.pk}/change/").content.decode()
    assert address(job) in page


@pytest.mark.parametrize("reference", ["job:12", "job:", "job:x", "12", "", "job:٣"])
def test_an_entry_that_nobody_booked_leads_to_no_job(reference):
    entry = CreditTransaction(reference=reference, actor_id=None)
    assert bulk_gift._job(entry) is None
    booked = CreditTransaction(reference=reference, actor_id=1)
    assert (bulk_gift._job(booked) is not None) == (reference == "job:12")


def test_what_is_spent_or_held_cannot_be_taken_back(giver):
    spent, held = people(2)
    job = done(giver, [spent, held])
    services.charge_credits(user_id=spent.pk, amount=Decimal(5), idempotency_key="test:spent")
    services.place_hold(user_id=held.pk, amount=Decimal(5), idempotency_key="test:held", reference="run")
    back = undone(giver, job)
    assert (back.done, back.refused) == (2, 2)
    assert balances([spent, held]) == [0, 5]


def test_the_form_to_undo_tells_what_was_given_and_what_is_left(client, giver):
    customers = people(2)
    job = done(giver, customers)
    services.charge_credits(user_id=customers[0].pk, amount=Decimal(3), idempotency_key="test:spent")
    client.force_login(giver)
    form = address(job, "undo")
    shown = client.post(form, {"token": token_of(client.get(form)), "reason": "oops"})
    assert [_text(change.after) for change in shown.context["changes"]] == ["2 customers", "10", "-7"]


@pytest.mark.django_db(transaction=True)
def test_a_job_delivered_many_times_at_once_gives_once():
    giver = StaffFactory(permissions=["credits.gift_credits"])
    customers = people(6)
    job = queued(giver, customers)
    assert at_once([lambda: tasks.run_job(job.pk)] * 5) == [None] * 5
    tasks.run_job(job.pk)
    assert balances(customers) == [5] * 6
    assert CreditTransaction.objects.count() == 6


def _give_slowly(job_id, database):
    """A worker that will be killed when it has given to the second few and not yet committed."""
    settings.DATABASES["default"]["NAME"] = database
    connections["default"].settings_dict["NAME"] = database
    kind = job_kinds.get(bulk_gift.GIFT)
    turns = iter(range(10))

    def do(job, targets):
        outcomes = bulk_gifts.gift_many(job, targets)
        if next(turns) == 1:
            time.sleep(60)
        return outcomes

    object.__setattr__(kind, "do", do)
    object.__setattr__(kind, "at_once", 4)
    jobs.run_job(job_id=job_id)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_each_customer_exactly_one_gift():
    giver = StaffFactory(permissions=["credits.gift_credits"])
    customers = people(10)
    job = queued(giver, customers)
    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(
        target=_give_slowly, args=(job.pk, settings.DATABASES["default"]["NAME"])
    )
    worker.start()
    deadline = time.monotonic() + 20
    while not _is_in_its_second_turn(job) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    wait_until_the_server_noticed()
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.RUNNING, 4)
    assert CreditTransaction.objects.count() == 4
    Job.objects.filter(pk=job.pk).update(queued_at="2026-01-01T00:00:00Z")
    assert jobs.due_jobs() == [job.pk]
    tasks.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == (JobState.DONE, 10, 0)
    assert balances(customers) == [5] * 10
    assert CreditTransaction.objects.count() == 10
    assert list(selectors.verify()) == []


def _is_in_its_second_turn(job):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        waiting = cursor.fetchone()[0]
    return Job.objects.get(pk=job.pk).done == 4 and waiting > 0


@pytest.mark.django_db(transaction=True)
def test_who_is_merged_while_the_gifts_are_given_is_left_out(giver):
    survivor, merged = people(2)
    job = queued(giver, [merged])
    while_another_waits(
        lambda: accounts.merge_customers(survivor_id=survivor.pk, merged_id=merged.pk, reason="Twice", actor=giver),
        lambda: jobs.run_job(job_id=job.pk),
    )
    job.refresh_from_db()
    assert (job.state, job.refused) == (JobState.DONE, 1)
    assert not CreditTransaction.objects.exists()
