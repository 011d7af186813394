"""Many customers shut out at once and let in again, and taken along as a file."""

import pytest

from accounts import services
from accounts.admin.bulk_acts import BAN_MANY
from accounts.models import Customer, StatusChange
from audit.models import AuditEntry
from jobs import services as jobs
from jobs.models import Job, JobItem, JobState
from jobs.tests.test_pages import address, confirmed, text, token_of
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

FIELDS = {"preset": "Spam or fake account", "words": "a ring of them", "duration": "7", "last_day": ""}
EXPORT = "export.users"


@pytest.fixture
def guard(db):
    return StaffFactory(permissions=["accounts.ban_user", "accounts.view_customer", "accounts.export_customers"])


@pytest.fixture
def results(settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"results": storage}


def drafted(guard, customers, kind=BAN_MANY):
    targets = Customer.objects.filter(pk__in=[customer.pk for customer in customers])
    return jobs.draft_job(kind=kind, actor=guard, targets=targets)


def done(client, guard, customers, kind=BAN_MANY, **fields):
    client.force_login(guard)
    job = drafted(guard, customers, kind)
    confirmed(client, address(job, "prepare"), **(fields or FIELDS))
    return finished(job)


def finished(job):
    jobs.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def statuses(customers):
    return [Customer.objects.get(pk=customer.pk).status for customer in customers]


def test_many_are_banned_with_one_reason_for_as_long_as_told(client, guard):
    customers = [CustomerFactory() for _ in range(3)]
    job = done(client, guard, customers)
    assert statuses(customers) == ["banned"] * 3
    changes = StatusChange.objects.all()
    assert {(change.reason, change.source, change.actor_id) for change in changes} == {
        ("Spam or fake account: a ring of them", f"job:{job.pk}", guard.pk)
    }
    assert all(customer.status_until for customer in Customer.objects.all())
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.reason) == ("jobs.start", "Spam or fake account: a ring of them")


def test_who_is_banned_already_keeps_that_ban(client, guard):
    banned, other = CustomerFactory(), CustomerFactory()
    services.ban_customer(user_id=banned.pk, reason="for good", actor=guard)
    job = done(client, guard, [banned, other])
    assert (job.done, job.refused) == (2, 1)
    banned = Customer.objects.get(pk=banned.pk)
    assert (banned.status_reason, banned.status_until) == ("for good", None)


def test_the_form_tells_whom_it_would_shut_out_and_who_is_so_already(client, guard):
    client.force_login(guard)
    job = drafted(guard, [CustomerFactory(full_name="Ada"), CustomerFactory(status="banned")])
    form = address(job, "prepare")
    page = client.post(form, {"token": token_of(client.get(form)), **FIELDS})
    lines = [(change.label, str(change.after)) for change in page.context["changes"]]
    assert lines[:2] == [("Customers", "1: Ada"), ("Left out", "1 who are banned already, and stay so as they are")]
    assert "button primary danger" in page.content.decode()
    response = client.post(form, {"token": page.context["token"], "confirm": "yes", **FIELDS, "preset": ""})
    assert response.context["form"].errors["preset"]


def test_undoing_puts_back_each_one_whose_status_is_still_that_of_the_job(client, guard):
    active, suspended, changed = [CustomerFactory() for _ in range(3)]
    services.suspend_customer(user_id=suspended.pk, reason="a pause", actor=guard)
    job = done(client, guard, [active, suspended, changed])
    services.unban_customer(user_id=changed.pk, reason="no", actor=guard)
    services.ban_customer(user_id=changed.pk, reason="again", actor=guard)
    entries = AuditEntry.objects.count()
    back = finished(jobs.undo_job(job_id=job.pk, actor=guard, reason="the wrong ring"))
    assert statuses([active, suspended, changed]) == ["active", "suspended", "banned"]
    assert (back.done, back.refused) == (3, 1)
    assert "changed again since" in JobItem.objects.get(job=back, target_id=changed.pk).note
    assert AuditEntry.objects.count() == entries + 1


def test_a_ban_that_was_done_before_its_worker_was_lost_is_not_done_again(client, guard):
    customers = [CustomerFactory() for _ in range(2)]
    job = done(client, guard, customers)
    JobItem.objects.update(state="pending")
    Job.objects.update(state="running", finished_at=None, done=0)
    jobs.run_job(job_id=job.pk)
    assert StatusChange.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_customers_that_were_chosen_are_written_to_a_file(client, guard, results):
    chosen, other = [CustomerFactory(), CustomerFactory(email="=cmd@example.com")], CustomerFactory()
    job = done(client, guard, chosen, EXPORT, reason="")
    assert (job.done, job.total) == (2, 2)
    response = client.post(address(job, "download"))
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert lines[0] == "ID,Email,Role,Credits,Created At,Generations,Total Spent"
    assert [line.split(",")[1] for line in lines[1:]] == [chosen[0].email, "'=cmd@example.com"]
    assert other.email not in str(lines)
    assert "users_" in response["Content-Disposition"]
    assert "users_" in text(client, address(job))


def test_the_acts_take_the_permissions_of_what_they_do(client):
    CustomerFactory()
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    page = client.get("/admin/accounts/customer/").content.decode()
    assert BAN_MANY not in page and EXPORT not in page
