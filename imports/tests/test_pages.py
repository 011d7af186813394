import csv
import re
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Customer
from audit.models import AuditEntry
from backoffice.lib import clock
from imports import services
from imports.models import CustomerImport
from imports.stages import Stage, stage_of
from imports.tests.files import checked
from jobs.models import Job, JobState
from jobs.services import create_job, run_job
from jobs.services.results import forget_old_results
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:imports_customerimport_changelist")
ADD = reverse("admin:imports_customerimport_add")
EXAMPLE = reverse("admin:imports_customerimport_example")
GOOD = "email,opening_balance\na@example.com,5\nb@example.com,\n"
BAD = "email,country\n=cmd,XX\n<script>alert(1)</script>,DE\n"


@pytest.fixture
def member(client):
    member = StaffFactory(permissions=["accounts.import_customers", "credits.adjust_credits"])
    client.force_login(member)
    return member


def upload(client, text, **options):
    file = SimpleUploadedFile("kunden & co.csv", text.encode(), content_type="application/x-whatever")
    told = {"file": file, "updates": "no", "ignores_unknown": "no", "encoding": "", "reason": "Moving in"} | options
    return client.post(ADD, told)


def handed_in(client, text=GOOD, **options):
    response = upload(client, text, **options)
    given = CustomerImport.objects.latest("pk")
    assert response.url == page_of(given)
    return given


def page_of(given):
    return reverse("admin:imports_customerimport_change", args=[given.pk])


def confirm(client, given):
    return client.post(reverse("admin:imports_customerimport_confirm", args=[given.pk]))


def worked(given, which):
    given.refresh_from_db()
    run_job(job_id=getattr(given, f"{which}_job_id"))
    given.refresh_from_db()
    return Job.objects.get(pk=getattr(given, f"{which}_job_id"))


@pytest.mark.django_db(transaction=True)
def test_a_file_is_handed_in_checked_confirmed_and_imported(client, member):
    given = handed_in(client)
    assert (given.name, given.created_by_id, given.lines) == ("kunden & co.csv", member.pk, 3)
    assert "hx-get" in client.get(page_of(given)).content.decode()
    job = worked(given, "check")
    assert (job.state, job.done, job.total) == (JobState.DONE, 2, 2)
    assert stage_of(given) == Stage.READY and not Customer.objects.exists()
    page = client.get(page_of(given)).content.decode()
    assert re.search(r"Import (<[^>]*>)?2(</[^>]*>)? rows</button>", page)
    assert "hx-get" not in page

    assert confirm(client, given).url == page_of(given)
    assert stage_of(CustomerImport.objects.get()) == Stage.IMPORTING
    job = worked(given, "import")
    assert (job.state, job.actor_id, job.done) == (JobState.DONE, member.pk, 2)
    assert stage_of(given) == Stage.IMPORTED
    assert Customer.objects.count() == 2
    assert "To the customers" in client.get(page_of(given)).content.decode()
    assert page_of(given) in client.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
    [entry] = AuditEntry.objects.filter(action="accounts.import_customers")
    assert (entry.actor_id, entry.reason) == (member.pk, "Moving in")
    assert "a@example.com" not in str([e.new_values for e in AuditEntry.objects.all()])


@pytest.mark.django_db(transaction=True)
def test_errors_are_shown_by_line_escaped_and_can_be_downloaded_whole(client, member):
    given = handed_in(client, BAD)
    job = worked(given, "check")
    assert stage_of(given) == Stage.FAULTY
    page = client.get(page_of(given)).content.decode()
    for said in ("There is no such country.", "This is not an email address.", "Write the code of two letters"):
        assert said in page
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert "Nothing was imported" in page
    answer = client.post(reverse("admin:jobs_job_download", args=[job.pk]))
    rows = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))
    assert rows[0] == ["Line", "Column", "Value", "Problem", "What to do"]
    assert rows[1][:3] == ["2", "country", "XX"] and rows[2][:3] == ["2", "email", "'=cmd"]
    assert confirm(client, given).status_code == 302
    assert CustomerImport.objects.get().import_job is None


@pytest.mark.django_db(transaction=True)
def test_a_double_click_imports_once(client, member):
    given = handed_in(client)
    worked(given, "check")
    confirm(client, given)
    confirm(client, given)
    assert Job.objects.filter(kind="imports.import").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_right_when_it_was_checked_is_checked_again_when_it_is_imported(client, member, tmp_path):
    given = handed_in(client)
    worked(given, "check")
    CustomerFactory(email="A@example.com")
    confirm(client, given)
    job = worked(given, "import")
    assert (job.state, job.error) == (JobState.FAILED, "1 error in the file: nothing was imported.")
    assert stage_of(given) == Stage.REFUSED and Customer.objects.count() == 1
    assert "1 error in the file" in client.get(page_of(given)).content.decode()
    answer = client.post(reverse("admin:jobs_job_download", args=[job.pk]))
    assert b"a@example.com" in b"".join(answer.streaming_content)
    # The file is forgotten with the rest, and there is no other.
    Job.objects.filter(pk=job.pk).update(result_until="2026-01-01T00:00:00Z")
    forget_old_results()
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
def test_the_same_file_again_says_that_it_was_imported_before(client, member):
    for _ in range(2):
        given = handed_in(client)
        worked(given, "check")
        if stage_of(given) == Stage.READY:
            confirm(client, given)
            worked(given, "import")
    assert stage_of(given) == Stage.REPEATED
    assert "The same file was imported on" in client.get(page_of(given)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_opening_balances_are_left_to_somebody_who_may_adjust(client, member):
    given = handed_in(client)
    worked(given, "check")
    client.force_login(StaffFactory(permissions=["accounts.import_customers"]))
    page = client.get(page_of(given)).content.decode()
    assert "you may not adjust balances" in page and "Import 2" not in page
    confirm(client, given)
    assert CustomerImport.objects.get().import_job is None


def test_a_file_that_is_no_file_a_missing_reason_and_a_wrong_choice_are_told_beside_their_fields(client, member):
    page = client.post(ADD, {"updates": "perhaps", "encoding": "EBCDIC"}).context["form"]
    assert {*page.errors} == {"file", "reason", "updates", "ignores_unknown", "encoding"}
    assert "empty" in str(upload(client, "").context["form"].errors["file"])
    assert not CustomerImport.objects.exists() and not Job.objects.exists()


@pytest.mark.parametrize("reason", ["\x00", "x" * 501])
def test_a_reason_that_cannot_be_kept_is_refused(client, member, reason):
    assert "reason" in upload(client, GOOD, reason=reason).context["form"].errors


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\temp\\x.csv", "a" * 300 + ".csv", "\x00"])
def test_the_name_of_a_file_is_a_name_and_never_a_path_of_ours(name, tmp_path):
    from django.core.files.base import ContentFile  # noqa: PLC0415 (needed here alone)

    given = services.keep_file(file=ContentFile(b"email\n"), name=name, actor=None, reason="test")
    assert "/" not in given.name and "\\" not in given.name and 0 < len(given.name) <= 200
    assert [path.suffix for path in (tmp_path / "uploads").iterdir()] == [".csv"]


def test_an_upload_that_is_too_large_is_refused_before_it_is_kept(client, member, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    assert upload(client, GOOD + "x" * 2000).status_code == 400
    assert not CustomerImport.objects.exists()


def test_who_is_not_let_in_uploads_nothing_large(settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    stranger = Client(enforce_csrf_checks=True)
    # With the cookie of the page to log in at, the form is read before anybody asks who it is from.
    stranger.get(reverse("admin:login"))
    assert upload(stranger, "x" * 2000).status_code == 400
    assert upload(stranger, "x").status_code == 403
    stranger.force_login(CustomerFactory())
    assert upload(stranger, "x" * 2000).status_code == 400


@pytest.mark.parametrize("address", [LIST, ADD, EXAMPLE])
def test_the_pages_are_closed_to_whoever_lacks_the_permission(client, address):
    client.force_login(StaffFactory(permissions=["accounts.change_customer", "accounts.export_customers"]))
    assert client.get(address).status_code == 403
    assert upload(client, GOOD).status_code == 403
    given = CustomerImport.objects.create(name="x", size=1, lines=1, sha256="", reason="test")
    assert client.get(page_of(given)).status_code == 403
    assert confirm(client, given).status_code == 403


def test_a_file_that_is_not_there_is_not_found(client, member):
    for object_id in ("0", "99", "9" * 30, "0" * 5000, "x"):
        assert client.get(f"{LIST}{object_id}/change/").status_code == 404


def test_the_example_shows_every_column_and_can_be_imported(client, member):
    answer = client.get(EXAMPLE)
    assert answer["Content-Disposition"] == 'attachment; filename="customers_example.csv"'
    report = checked(answer.content)
    assert (report.rows, report.faults, report.openings) == (1, 0, 1)


def test_the_list_takes_a_fixed_number_of_queries(client, member, django_assert_num_queries):
    def add(number):
        for _ in range(number):
            CustomerImport.objects.create(name="x", size=1, lines=1, sha256="", reason="test", created_by=member)

    add(1)
    client.get(LIST)
    with django_assert_num_queries(6) as few:
        client.get(LIST)
    add(30)
    with django_assert_num_queries(len(few)):
        client.get(LIST)


def test_a_file_whose_check_cannot_be_asked_for_is_known_and_forgotten_like_any_other(
    client, member, tmp_path, monkeypatch
):
    def fail(**told):
        raise ZeroDivisionError

    monkeypatch.setattr(services.jobs, "create_job", fail)
    with pytest.raises(ZeroDivisionError):
        upload(client, GOOD)
    assert stage_of(CustomerImport.objects.get()) == Stage.UNCHECKED
    with clock.at(clock.now() + timedelta(days=8)):
        assert services.forget_old_files() == 1
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


def test_a_file_is_forgotten_after_a_week_and_its_page_stays(client, member, tmp_path):
    given = handed_in(client)
    fault = {"line": 2, "column": "email", "value": "ada@", "problem": "no address", "advice": "Write it whole."}
    given.report = {"rows": 1, "faults": 1, "first_faults": [fault]}
    given.save(update_fields=["report"])
    assert services.forget_old_files() == 0
    with clock.at(clock.now() + timedelta(days=8)):
        assert services.forget_old_files() == 1
    given.refresh_from_db()
    assert (given.report["faults"], given.report["first_faults"]) == (1, [])
    assert given.file == "" and not list((tmp_path / "uploads").iterdir())
    assert client.get(page_of(given)).status_code == 200
    assert storages["uploads"].exists("anything") is False


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_once_it_is_imported_the_file_is_gone_and_a_worker_that_was_lost_then_is_no_failure(client, member, tmp_path):
    given = handed_in(client)
    worked(given, "check")
    confirm(client, given)
    job = worked(given, "import")
    assert (given.file, files_in(tmp_path / "uploads")) == ("", [])
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, message="", finished_at=None)
    job = worked(given, "import")
    assert job.state == JobState.DONE and job.message.startswith("2 rows: 2 new customers")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_of_who_is_anonymised_no_file_tells_that_waits_or_was_made(client, member, tmp_path, encoding):
    ada, other = CustomerFactory(email="Ada@example.com"), CustomerFactory(email="grace@example.com")
    about = "email,country\nADA@example.com,\n"
    file = SimpleUploadedFile("a.csv", about.encode(encoding), content_type="text/csv")
    waits, wrong, unconcerned = handed_in(client, file=file), handed_in(client, about), handed_in(client)
    for given in (waits, wrong, unconcerned):
        worked(given, "check")
    export = create_job(kind="export.users", actor=StaffFactory(is_superuser=True))
    run_job(job_id=export.pk)
    assert "ADA@example.com" in str(wrong.report) and len(files_in(tmp_path)) == 6
    anonymised = accounts.anonymise_user(user_id=ada.pk, reason="Asked for it", actor=None)
    assert (anonymised.emptied["imports"], anonymised.emptied["results"]) == (2, 3)
    assert [path.read_text() for path in files_in(tmp_path)] == [GOOD]
    assert not CustomerImport.objects.exclude(pk=unconcerned.pk).exclude(file="").exists()
    assert "ada@" not in str(list(CustomerImport.objects.values())).lower()
    # What other files tell goes on being told.
    assert Customer.objects.filter(pk=other.pk, email="grace@example.com").exists()
