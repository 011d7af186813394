"""Jobs as staff see them: their own, how far each is, what came of it, and what they may do about it."""

import re

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEntry
from backoffice.lib.registry import resource_links
from backoffice.lib.work import JobKind, job_kinds
from jobs import services
from jobs.models import Job, JobItem, JobState
from jobs.tests import kinds
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/job/"


@pytest.fixture
def boss(db):
    return StaffFactory(permissions=["jobs.view_all_jobs"])


@pytest.fixture
def results(settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"results": storage}
    return tmp_path


def drafted(clerk, targets):
    return services.draft_job(kind="test.name", actor=clerk, targets=User.objects.filter(pk__in=targets))


def queued(clerk, targets, **params):
    draft = drafted(clerk, targets)
    return services.start_draft(job_id=draft.pk, actor=clerk, params={"name": "Ada", **params}, reason="a <test>")


def address(job, name="change"):
    return reverse(f"admin:jobs_job_{name}", args=[job.pk])


def html(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def text(client, url):
    return " ".join(re.sub(r"<[^>]+>", " ", html(client, url)).split())


def test_the_list_holds_ones_own_jobs_and_nobody_elses(client, naming, clerk, boss):
    own, other = (
        queued(author, kinds.customers(1)) for author in (clerk, StaffFactory(permissions=[kinds.PERMISSION]))
    )
    client.force_login(clerk)
    assert f">Name {own.pk}</a>" in html(client, LIST)
    assert f">Name {other.pk}</a>" not in html(client, LIST)
    client.force_login(boss)
    assert f">Name {other.pk}</a>" in html(client, LIST)
    assert "No jobs match" in html(client, f"{LIST}?whose=mine")


@pytest.mark.parametrize("narrowed", ["state=done", "kind=test.other", "created_at_from=2999-01-01"])
def test_filters_narrow_the_list(client, naming, clerk, narrowed):
    with kinds.offered(job_kinds, kinds.naming(key="test.other", label="Other")):
        job = queued(clerk, kinds.customers(1))
        client.force_login(clerk)
        assert f">Name {job.pk}</a>" in html(client, f"{LIST}?state=queued&kind=test.name")
        assert "No jobs match" in html(client, f"{LIST}?{narrowed}")


@pytest.mark.parametrize("name", ["change", "progress", "history", "undo", "prepare"])
def test_the_job_of_somebody_else_is_not_there(client, naming, clerk, name):
    job = queued(StaffFactory(permissions=[kinds.PERMISSION]), kinds.customers(1))
    client.force_login(clerk)
    assert client.get(address(job, name)).status_code == 404
    for verb in ("cancel", "again", "download"):
        assert client.post(address(job, verb)).status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


@pytest.mark.parametrize("where", ["abc", "0", "9" * 30, "%D9%A3"])
def test_an_id_that_nothing_has_is_not_found(client, clerk, where):
    client.force_login(clerk)
    assert client.get(f"{LIST}{where}/change/").status_code == 404


def test_a_draft_is_its_authors_business_alone(client, naming, clerk, boss):
    draft = drafted(clerk, kinds.customers(1))
    client.force_login(boss)
    assert client.get(address(draft)).status_code == 404
    client.force_login(clerk)
    assert client.get(address(draft))["Location"] == address(draft, "prepare")
    assert f">Name {draft.pk}</a>" not in html(client, LIST)


def test_the_page_says_what_was_asked_by_whom_and_how_it_stands(client, naming, clerk):
    stubborn = CustomerFactory(full_name="Stubborn", email="stubborn@example.com")
    job = queued(clerk, [*kinds.customers(2), stubborn.pk])
    services.run_job(job_id=job.pk)
    client.force_login(clerk)
    page = html(client, address(job))
    assert "a &lt;test&gt;" in page
    assert f'<a href="/admin/accounts/customer/{stubborn.pk}/change/">stubborn@example.com</a>' in page
    shown = text(client, address(job))
    for told in ("Name Ada", f"Asked by {clerk.email}", "Done 3 of 3", "Refused 1 left as they were", "is stubborn"):
        assert told in shown


def test_refused_targets_are_paged_by_the_last_one_shown(client, naming, clerk, monkeypatch):
    monkeypatch.setattr("jobs.admin.shown.MOST_REFUSED", 2)
    stubborn = [CustomerFactory(full_name="Stubborn") for _ in range(3)]
    job = queued(clerk, [customer.pk for customer in stubborn])
    services.run_job(job_id=job.pk)
    client.force_login(clerk)
    first = html(client, address(job))
    assert [customer.email in first for customer in stubborn] == [True, True, False]
    following = f"{address(job)}?refused_after={stubborn[1].pk}"
    assert following in first
    assert [customer.email in html(client, following) for customer in stubborn] == [False, False, True]
    assert client.get(f"{address(job)}?refused_after={'9' * 5000}").status_code == 200


def test_an_unfinished_job_asks_for_its_progress_in_the_background_and_a_finished_one_is_still(client, naming, clerk):
    job = queued(clerk, kinds.customers(4))
    client.force_login(clerk)
    page = html(client, address(job))
    assert f'hx-get="{address(job, "progress")}?told=queued-0"' in page
    assert """hx-headers='{"X-Background": "1"}'""" in page
    assert "every 2s" in page and "<noscript>" in page
    Job.objects.filter(pk=job.pk).update(state="running", done=2)
    part = html(client, f"{address(job, 'progress')}?told=queued-0")
    assert '<progress max="100" value="50"' in part
    assert "told=running-2" in part and "<html" not in part
    assert 'hx-swap-oob="innerHTML">Name: Running, 2 of 4</p>' in part
    assert "hx-swap-oob" not in html(client, f"{address(job, 'progress')}?told=running-2")
    Job.objects.filter(pk=job.pk).update(state="done", done=4, finished_at="2026-01-01T00:00:00Z")
    part = html(client, f"{address(job, 'progress')}?told=running-2")
    assert "hx-get" not in part and "Name: Done, 4 of 4" in part
    assert client.post(address(job, "progress")).status_code == 405


def test_a_number_of_queries_that_jobs_and_targets_do_not_change(client, naming, clerk, django_assert_num_queries):
    client.force_login(clerk)
    for few in (1, 6):
        for _ in range(few):
            CustomerFactory(full_name="Stubborn")
        job = queued(clerk, User.objects.filter(full_name="Stubborn").values("pk"))
        services.run_job(job_id=job.pk)
        with django_assert_num_queries(LIST_QUERIES):
            client.get(LIST)
        with django_assert_num_queries(PAGE_QUERIES):
            client.get(address(job))
        with django_assert_num_queries(PART_QUERIES):
            client.get(address(job, "progress"))


# Session, person, two of permissions; then rows and their number, or the job, and who was refused with their addresses.
LIST_QUERIES, PAGE_QUERIES, PART_QUERIES = 6, 7, 7


def test_a_job_is_canceled_from_its_page_by_its_author_only(client, naming, clerk, boss):
    job = queued(clerk, kinds.customers(2))
    client.force_login(boss)
    assert "Cancel job" not in html(client, address(job))
    assert client.post(address(job, "cancel")).status_code == 403
    client.force_login(clerk)
    assert client.get(address(job, "cancel")).status_code == 405
    assert "Cancel job" in html(client, address(job))
    assert client.post(address(job, "cancel"))["Location"] == address(job)
    job.refresh_from_db()
    assert job.state == JobState.CANCELED
    response = client.post(address(job, "cancel"), follow=True)
    assert "The job has ended already." in response.content.decode()


def test_a_failed_job_goes_on_from_its_page(client, naming, clerk):
    job = queued(clerk, kinds.customers(2))
    Job.objects.filter(pk=job.pk).update(state="failed", error="It rained.", finished_at="2026-01-01T00:00:00Z")
    client.force_login(clerk)
    assert "It rained." in html(client, address(job)) and "Run again" in html(client, address(job))
    client.post(address(job, "again"))
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.QUEUED, "")


def undoing(**changes):
    def undo(job, targets):
        User.objects.filter(pk__in=targets).update(full_name="Before")
        return [kinds.ItemOutcome(target) for target in targets]

    return kinds.naming(key="test.unname", label="Unname", do=undo, **changes)


def confirmed(client, url, **fields):
    """Fill a confirm form, and confirm the effect it shows."""
    shown = client.post(url, {"token": token_of(client.get(url)), **fields})
    assert shown.context["is_preview"], shown.context["form"].errors
    return client.post(url, {"token": shown.context["token"], "confirm": "yes", **fields})


def token_of(response):
    return response.context["token"]


def test_a_job_is_undone_once_by_a_form_that_shows_its_effect(client, clerk):
    with kinds.offered(job_kinds, kinds.naming(undo="test.unname")), kinds.offered(job_kinds, undoing()):
        targets = kinds.customers(3)
        job = queued(clerk, targets)
        client.force_login(clerk)
        assert address(job, "undo") not in html(client, address(job))
        services.run_job(job_id=job.pk)
        assert address(job, "undo") in html(client, address(job))
        response = confirmed(client, address(job, "undo"), reason="wrong ones")
        back = Job.objects.get(undoes=job)
        assert response["Location"] == address(back)
        services.run_job(job_id=back.pk)
        assert set(User.objects.filter(pk__in=targets).values_list("full_name", flat=True)) == {"Before"}
        page = html(client, address(job))
        assert address(back) in page and address(job, "undo") not in page
        again = client.post(
            address(job, "undo"), {"token": token_of(client.get(address(job, "undo"))), "reason": "once more"}
        )
        assert "Nothing of this job is left to undo." in again.content.decode()
    assert Job.objects.count() == 2


def test_undoing_takes_the_permission_of_the_work(client, clerk):
    colleague = StaffFactory(permissions=["jobs.view_all_jobs"])
    with kinds.offered(job_kinds, kinds.naming(undo="test.unname")), kinds.offered(job_kinds, undoing()):
        job = queued(clerk, kinds.customers(1))
        services.run_job(job_id=job.pk)
        client.force_login(colleague)
        assert address(job, "undo") not in html(client, address(job))
        assert client.get(address(job, "undo")).status_code == 403


def test_work_without_a_way_back_has_no_form_to_undo_it(client, naming, clerk):
    job = queued(clerk, kinds.customers(1))
    services.run_job(job_id=job.pk)
    client.force_login(clerk)
    assert client.get(address(job, "undo")).status_code == 404


def with_result(clerk, name="list.csv"):
    def whole(job):
        with job.result(name) as file:
            file.write(b"a,b\n")

    kind = JobKind(key="test.list", label="List", permission=kinds.PERMISSION, whole=whole)
    with kinds.offered(job_kinds, kind):
        job = services.create_job(kind="test.list", actor=clerk)
        services.run_job(job_id=job.pk)
    return Job.objects.get(pk=job.pk), kind


def test_a_result_is_downloaded_with_a_safe_name_and_audited(client, clerk, results):
    job, kind = with_result(clerk, name='li"st\r\nX: y.csv')
    client.force_login(clerk)
    with kinds.offered(job_kinds, kind):
        assert "li&quot;st" in html(client, address(job))
        response = client.post(address(job, "download"))
        assert b"".join(response.streaming_content) == b"a,b\n"
        assert client.get(address(job, "download")).status_code == 405
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert "\n" not in response["Content-Disposition"] and "X: y" not in response.headers
    assert "no-store" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"
    entry = AuditEntry.objects.get(action="jobs.download")
    assert (entry.actor_id, entry.resource_id) == (clerk.pk, str(job.pk))


def test_a_result_is_gone_for_good_when_its_time_is_over_or_its_file_lost(client, clerk, results):
    job, kind = with_result(clerk)
    client.force_login(clerk)
    with kinds.offered(job_kinds, kind):
        Job.objects.update(result_until="2026-01-01T00:00:00Z")
        response = client.post(address(job, "download"))
        assert response.status_code == 410
        assert "is no longer kept" in response.content.decode()
        assert address(job, "download") not in html(client, address(job))
        Job.objects.update(result_until="2999-01-01T00:00:00Z")
        for file in results.rglob("*.csv"):
            file.unlink()
        assert client.post(address(job, "download")).status_code == 410
    assert not AuditEntry.objects.filter(action="jobs.download").exists()


def test_a_result_needs_the_permission_of_its_work_at_each_download(client, clerk, results):
    job, kind = with_result(clerk)
    with kinds.offered(job_kinds, kind):
        clerk.user_permissions.clear()
        client.force_login(User.objects.get(pk=clerk.pk))
        assert client.post(address(job, "download")).status_code == 403
        assert address(job, "download") not in html(client, address(job))


def test_a_job_without_a_result_has_nothing_to_download(client, naming, clerk):
    job = queued(clerk, kinds.customers(1))
    client.force_login(clerk)
    assert client.post(address(job, "download")).status_code == 404


def test_the_history_of_a_job_tells_who_did_what_to_it(client, naming):
    clerk = StaffFactory(permissions=[kinds.PERMISSION, "audit.view_auditentry"])
    job = queued(clerk, kinds.customers(1))
    client.force_login(clerk)
    assert address(job, "history") in html(client, address(job))
    assert "a &lt;test&gt;" in html(client, address(job, "history"))


def test_the_audit_log_leads_to_the_jobs_that_its_reader_may_open(naming, clerk, boss):
    own, other = (
        queued(author, kinds.customers(1)) for author in (clerk, StaffFactory(permissions=[kinds.PERMISSION]))
    )
    named = [str(own.pk), str(other.pk), "0", "nine", "9" * 30]
    addresses = resource_links.get("jobs.job").addresses
    assert addresses(clerk, named) == {str(own.pk): address(own)}
    assert addresses(boss, named) == {str(job.pk): address(job) for job in (own, other)}


def test_who_may_ask_for_no_work_finds_no_jobs_in_the_sidebar(client, naming, clerk):
    client.force_login(clerk)
    assert LIST in html(client, "/admin/")
    client.force_login(StaffFactory())
    assert LIST not in html(client, "/admin/")


def test_a_kind_that_no_app_offers_any_more_is_still_shown(client, clerk):
    job = Job.objects.create(kind="gone.kind", actor=clerk, state="done", finished_at="2026-01-01T00:00:00Z")
    JobItem.objects.create(job=job, target_id=7, state="refused", note="no")
    Job.objects.update(refused=1, done=1)
    client.force_login(clerk)
    assert "gone.kind" in html(client, address(job)) and "gone.kind" in html(client, LIST)
