"""From customers chosen in their list to a job: shown first, confirmed once, within limits or by a second person."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEntry
from backoffice.celery import app
from backoffice.lib import clock
from jobs import selectors, services
from jobs.errors import LimitExceeded, NotAllowed
from jobs.models import Approval, ApprovalState, Job, JobItem, JobState, LimitUse
from jobs.tests import kinds
from jobs.tests.test_limits import member
from jobs.tests.test_pages import address, confirmed, html, text, token_of
from tests.factories import CustomerFactory, StaffFactory, permission
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limited", "naming", "naming_many")]

CUSTOMERS = "/admin/accounts/customer/"
# Session, person and permissions, what the list itself asks for, and the draft with its targets.
CHOOSING = 22
FORM = {"name": "Ada", "reason": "a test"}


@pytest.fixture
def naming_many():
    with kinds.offered_bulk(kinds.naming_many()) as action:
        yield action


def clerk_with(*limits):
    """Somebody who may rename customers, within limits."""
    staff = member(*limits)
    for codename in ("change_customer", "view_customer"):
        staff.user_permissions.add(permission("accounts", codename))
    return User.objects.get(pk=staff.pk)


def chosen(client, customers, query="", **more):
    """Choose customers in their list and an act for them."""
    fields = {"action": "test.name", "index": "0", "select_across": "0", **more}
    return client.post(f"{CUSTOMERS}{query}", {**fields, "_selected_action": [customer.pk for customer in customers]})


def drafted(client, customers, query="", **more):
    response = chosen(client, customers, query, **more)
    job = Job.objects.latest("pk")
    assert response["Location"] == address(job, "prepare")
    return job


def targets_of(job):
    return set(JobItem.objects.filter(job=job).values_list("target_id", flat=True))


def test_the_list_offers_the_act_to_who_may_do_it(client):
    CustomerFactory()
    client.force_login(clerk_with())
    assert '<option value="test.name">Rename</option>' in html(client, CUSTOMERS)
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert "test.name" not in html(client, CUSTOMERS)


def test_a_forged_act_chooses_nobody(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    for name in ("test.name", "test.unknown", "delete_selected", "\0"):
        assert chosen(client, [CustomerFactory()], action=name).status_code in (200, 302)
    assert not Job.objects.exists()


@pytest.mark.parametrize("forged", ["abc", "-1", "9" * 30, "1,2", "\0", ""])
def test_a_forged_row_is_refused_and_chooses_nobody(client, forged):
    client.force_login(clerk_with())
    fields = {"action": "test.name", "index": "0", "select_across": "0", "_selected_action": [forged]}
    assert client.post(CUSTOMERS, fields).status_code == 400
    assert not Job.objects.exists()


def test_staff_cannot_be_chosen_by_a_forged_row(client):
    clerk = clerk_with()
    client.force_login(clerk)
    job = drafted(client, [clerk, customer := CustomerFactory()])
    assert targets_of(job) == {customer.pk}


def test_what_was_chosen_is_shown_with_who_is_left_out_and_then_done(client):
    named = [CustomerFactory(full_name=name) for name in ("Bea", "Cleo", "Dora", "Ella")]
    left_out = [CustomerFactory(full_name="Stubborn"), CustomerFactory(full_name="Stubborn", status="banned")]
    banned = CustomerFactory(status="banned")
    others = CustomerFactory(full_name="Zoe")
    client.force_login(clerk_with())
    job = drafted(client, [*named, *left_out, banned])
    form = address(job, "prepare")
    assert "7 customers" in text(client, form)
    shown = client.post(form, {"token": token_of(client.get(form)), **FORM})
    lines = [(change.label, str(change.after)) for change in shown.context["changes"]]
    assert lines == [
        ("Customers", "4: Bea, Cleo, Dora and 1 more"),
        ("Left out", "2 called Stubborn"),
        ("Left out", "1 who are banned"),
        ("Name", "Ada"),
        ("Times", "4"),
    ]
    job.refresh_from_db()
    assert job.state == JobState.DRAFT
    assert confirmed(client, form, **FORM)["Location"] == address(job)
    services.run_job(job_id=job.pk)
    assert set(User.objects.filter(pk__in=[customer.pk for customer in named]).values_list("full_name", flat=True)) == {
        "Ada"
    }
    others.refresh_from_db()
    assert others.full_name == "Zoe"


@pytest.mark.parametrize(("query", "expected"), [("?status=banned", 3), ("", 8)])
def test_all_rows_that_match_are_chosen_not_those_of_the_page(client, monkeypatch, query, expected):
    monkeypatch.setattr("accounts.admin.customers.CustomerAdmin.list_per_page", 2)
    for status in ("active", "banned", "banned", "banned", "active", "active", "active", "active"):
        CustomerFactory(status=status)
    client.force_login(clerk_with())
    shown = User.objects.filter(is_staff=False)[:1]
    job = drafted(client, shown, query, select_across="1")
    assert (job.total, len(targets_of(job))) == (expected, expected)


def test_choosing_takes_a_number_of_statements_that_customers_do_not_change(client, django_assert_num_queries):
    client.force_login(clerk_with())
    for count in (1, 5):
        first = [CustomerFactory() for _ in range(count)][:1]
        with django_assert_num_queries(CHOOSING):
            chosen(client, first, select_across="1")
    assert Job.objects.latest("pk").total == 6


def test_nothing_chosen_makes_no_draft(client):
    CustomerFactory()
    client.force_login(clerk_with())
    assert chosen(client, []).status_code == 302
    assert not Job.objects.exists()


def test_choosing_nobody_through_a_filter_is_told_in_the_form(client):
    client.force_login(clerk_with())
    job = drafted(client, [CustomerFactory()], "?status=banned", select_across="1")
    response = confirmed(client, address(job, "prepare"), **FORM)
    assert "Nothing was chosen" in response.content.decode()


def test_a_form_that_is_not_right_shows_its_errors_and_starts_nothing(client):
    client.force_login(clerk_with())
    job = drafted(client, [CustomerFactory()])
    form = address(job, "prepare")
    for wrong in ({"name": ""}, {"name": "x" * 21}, {"name": "a\0b"}):
        response = client.post(form, {"token": token_of(client.get(form)), "confirm": "yes", **FORM, **wrong})
        assert response.context["form"].errors["name"]
    job.refresh_from_db()
    assert job.state == JobState.DRAFT


@pytest.mark.parametrize("verb", ["get", "post"])
def test_anothers_draft_is_not_there_and_a_lost_permission_counts(client, verb):
    author = clerk_with()
    client.force_login(author)
    job = drafted(client, [CustomerFactory()])
    client.force_login(StaffFactory(is_superuser=True))
    assert getattr(client, verb)(address(job, "prepare")).status_code == 404
    author.user_permissions.clear()
    client.force_login(author)
    assert getattr(client, verb)(address(job, "prepare")).status_code == 403


def test_a_second_confirm_leads_to_the_job_and_starts_nothing(client):
    client.force_login(clerk_with((10, 100)))
    job = drafted(client, [CustomerFactory()])
    form = address(job, "prepare")
    token = token_of(client.get(form))
    for _ in range(2):
        response = client.post(form, {"token": token, "confirm": "yes", **FORM})
        assert response["Location"] == address(job)
    assert client.get(form)["Location"] == address(job)
    assert AuditEntry.objects.filter(action="jobs.start").count() == LimitUse.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_confirms_at_once_start_one_job_and_use_the_limit_once():
    clerk = clerk_with((10, 30))
    targets = User.objects.filter(pk__in=kinds.customers(3))
    job = services.draft_job(kind="test.name", actor=clerk, targets=targets)
    given = {"job_id": job.pk, "actor": clerk, "params": {"name": "Ada"}, "reason": "a test"}
    started = at_once([lambda: services.start_bulk(**given).state] * 8)
    assert started == [JobState.QUEUED] * 8
    assert selectors.used_today(staff=clerk, verb="test.give") == 30
    assert AuditEntry.objects.filter(action="jobs.start").count() == 1


def test_each_of_many_is_held_to_the_limit_of_one_and_all_to_that_of_the_day(client):
    customers = [CustomerFactory() for _ in range(3)] + [CustomerFactory(full_name="Stubborn")]
    for limits, is_within in (((10, 30), True), ((9, None), False), ((None, 29), False)):
        clerk = clerk_with(limits)
        job = services.draft_job(
            kind="test.name", actor=clerk, targets=User.objects.filter(pk__in=[customer.pk for customer in customers])
        )
        start = {"job_id": job.pk, "actor": clerk, "params": {"name": "Ada"}, "reason": "a test"}
        if is_within:
            services.start_bulk(**start)
            assert LimitUse.objects.get(key=f"job:{job.pk}").amount == 30
        else:
            with pytest.raises(LimitExceeded):
                services.start_bulk(**start)
            job.refresh_from_db()
            assert job.state == JobState.DRAFT


def asked_for(client, clerk, *, count=3):
    """A request for a bulk act above the limit, through the form."""
    client.force_login(clerk)
    job = drafted(client, [CustomerFactory() for _ in range(count)])
    form = address(job, "prepare")
    shown = client.post(form, {"token": token_of(client.get(form)), **FORM})
    assert "Your limit for a day is 20 credits" in shown.context["notice"]
    assert "Request approval" in shown.content.decode()
    token = shown.context["token"]
    for _ in range(2):
        response = client.post(form, {"token": token, "confirm": "yes", "noticed": "yes", **FORM})
        assert response["Location"] == address(job)
    job.refresh_from_db()
    return job, Approval.objects.get()


def decider(*limits):
    staff = clerk_with(*limits)
    staff.user_permissions.add(permission("jobs", "decide_approval"), permission("jobs", "view_approval"))
    return User.objects.get(pk=staff.pk)


def test_above_the_limit_a_second_person_lets_the_job_begin_in_the_name_of_who_asked(client):
    clerk, boss = clerk_with((10, 20)), decider((10, 1000))
    job, approval = asked_for(client, clerk)
    assert (job.state, job.params, job.queued_at) == (JobState.WAITING, {"name": "Ada"}, None)
    assert (approval.verb, approval.amount, approval.resource_id) == ("test.name", Decimal(30), str(job.pk))
    assert reverse("admin:jobs_approval_change", args=[approval.pk]) in html(client, address(job))
    services.run_job(job_id=job.pk)
    assert not User.objects.filter(full_name="Ada").exists()
    client.force_login(boss)
    assert "Waits for approval" in html(client, address(job))
    assert "3: " in text(client, reverse("admin:jobs_approval_change", args=[approval.pk]))
    services.approve(approval_id=approval.pk, actor=boss)
    job.refresh_from_db()
    assert (job.state, job.actor_id) == (JobState.QUEUED, clerk.pk)
    assert selectors.used_today(staff=boss, verb="test.give") == 30
    assert selectors.used_today(staff=clerk, verb="test.give") == 0
    entry = AuditEntry.objects.get(action="jobs.start")
    assert (entry.actor_id, entry.new_values["approved_by"]) == (clerk.pk, boss.email)
    assert client.get(address(job)).status_code == 200
    services.run_job(job_id=job.pk)
    assert User.objects.filter(full_name="Ada").count() == 3


def test_above_the_second_persons_limit_the_job_goes_on_waiting(client):
    job, approval = asked_for(client, clerk_with((10, 20)))
    with pytest.raises(LimitExceeded):
        services.approve(approval_id=approval.pk, actor=decider((10, 29)))
    job.refresh_from_db()
    assert job.state == JobState.WAITING
    assert not LimitUse.objects.exists()


@pytest.mark.parametrize("end", ["deny", "withdraw", "expire"])
def test_a_request_that_is_not_granted_ends_its_job(client, end):
    clerk = clerk_with((10, 20))
    job, approval = asked_for(client, clerk)
    if end == "deny":
        services.deny(approval_id=approval.pk, actor=decider(), reason="Not these")
    elif end == "withdraw":
        services.withdraw(approval_id=approval.pk, actor=clerk)
    else:
        with clock.at(approval.expires_at):
            assert services.expire_approvals() == 1
    job.refresh_from_db()
    assert (job.state, job.queued_at) == (JobState.CANCELED, None)
    assert job.message == {"deny": "Denied. Not these", "withdraw": "Withdrawn.", "expire": "Expired."}[end]
    services.run_job(job_id=job.pk)
    assert not User.objects.filter(full_name="Ada").exists()


def test_drafts_that_wait_for_a_second_person_are_not_forgotten(client):
    job, _ = asked_for(client, clerk_with((10, 20)))
    Job.objects.update(created_at="2026-01-01T00:00:00Z")
    services.drop_drafts()
    assert Job.objects.filter(pk=job.pk).exists()


def test_who_asked_and_lost_the_right_meanwhile_gets_no_job(client):
    clerk = clerk_with((10, 20))
    job, approval = asked_for(client, clerk)
    clerk.user_permissions.clear()
    decided = services.approve(approval_id=approval.pk, actor=decider())
    job.refresh_from_db()
    assert (decided.state, job.state) == (ApprovalState.FAILED, JobState.CANCELED)


def test_nobody_asks_for_anothers_draft(client):
    client.force_login(clerk_with())
    job = drafted(client, [CustomerFactory()])
    with pytest.raises(NotAllowed):
        services.request_bulk(job_id=job.pk, actor=clerk_with(), params={}, reason="mine")


def test_the_request_succeeds_without_redis_and_the_sweep_does_the_work(
    client, settings, django_capture_on_commit_callbacks
):

    client.force_login(clerk_with())
    job = drafted(client, [CustomerFactory()])
    broker, app.conf.broker_url = app.conf.broker_url, "redis+socket:///nowhere/redis.sock"
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert confirmed(client, address(job, "prepare"), **FORM)["Location"] == address(job)
    finally:
        app.conf.broker_url = broker
    Job.objects.update(queued_at="2026-01-01T00:00:00Z")
    assert services.due_jobs() == [job.pk]
    services.run_job(job_id=job.pk)
    assert User.objects.filter(full_name="Ada").count() == 1
