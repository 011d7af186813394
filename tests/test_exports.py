"""Whole tables as CSV, by program and from the lists: the same declaration, the same permission, the same log."""

import csv
import io
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Customer
from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.exports import exports
from credits import services as credits
from credits.kinds import TransactionKind
from credits.postings import Posting
from jobs.errors import NotAllowed
from jobs.models import Job, JobState
from jobs.services import create_job, run_job
from jobs.services.results import open_result
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.world import populate

pytestmark = pytest.mark.django_db

HEADERS = {
    "users": "ID,Email,Role,Credits,Created At,Generations,Total Spent",
    "transactions": "ID,User Email,Type,Amount,Balance After,Description,Date",
    "balances": "email,current_balance,current_month_consumed,total_consumed,next_reset_at",
    "payments": (
        "ID,User Email,Amount,Currency,Credits,Status,Method,Stripe ID,Date,Refunded,Disputed,"
        "Fee,Net,Settlement Currency,Charge,Invoice"
    ),
    "subscriptions": "ID,User Email,Plan,Status,MRR,Currency,Stripe ID,Started,Period End,Trial End,Cancels At,Ended",
    "refunds": "ID,User Email,Amount,Currency,Status,Credits,Reason,Asked For By,Stripe ID,Payment,Date,Failed",
    "disputes": (
        "ID,User Email,Amount,Currency,Status,Reason,Fee,Fee Currency,Stripe ID,Payment,Opened,Evidence Due,Closed"
    ),
    "invoices": "ID,User Email,Number,Status,Total,Paid,Currency,Stripe ID,Subscription,Issued,Paid At",
    "packs": "id,name,credits,price,currency,stripe_price_id,is_active,position",
    "plans": "id,key,name,monthly_credits,trial_credits,stripe_product_id,is_active,position",
    "rates": "date,base,quote,rate",
    "tags": "name,colour",
    "audit": "Seq,Date,Staff,Action,Resource Type,Resource,Old Values,New Values,Reason,IP,Request,Hash",
}


@pytest.fixture
def boss():
    return StaffFactory(is_superuser=True)


@pytest.fixture
def program(boss):
    return Program(key("read", staff=boss))


@pytest.fixture(autouse=True)
def _results(settings, tmp_path):
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"results": folder}


def rows(response):
    assert response.status_code == 200, response.content
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def test_every_export_is_one_of_those_that_are_tested_here():
    assert {export.key for export in exports} == set(HEADERS)


@pytest.mark.parametrize("name", HEADERS)
def test_each_file_has_its_name_its_columns_and_its_entry_in_the_audit_log(program, boss, name):
    response = program.get(f"admin/export/{name}")
    assert response["Content-Disposition"] == f'attachment; filename="{name}_{clock.now():%Y-%m-%d}.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert ",".join(rows(response)[0]) == HEADERS[name]
    entry = AuditEntry.objects.get(action=exports.get(name).action)
    assert (entry.actor_id, entry.new_values) == (boss.pk, {"file": f"{name}.csv", "filters": {}})
    assert "through API key" in entry.actor_label


@pytest.mark.parametrize("name", HEADERS)
def test_each_file_asks_for_its_own_permission_by_program_and_on_its_list(client, name):
    export = exports.get(name)
    others = {other.permission for other in exports} - {export.permission}
    options = export.model._meta
    see = f"{options.app_label}.view_{options.model_name}"
    page = reverse(f"admin:{options.app_label}_{options.model_name}_export", args=[name])
    stranger, member = StaffFactory(permissions=[*others, see]), StaffFactory(permissions=[export.permission, see])
    assert code_of(Program(key("read", staff=stranger)).get(f"admin/export/{name}")) == "permission_missing"
    client.force_login(stranger)
    assert client.post(page).status_code == 403
    assert not AuditEntry.objects.filter(action=export.action).exists()
    assert rows(Program(key("read", staff=member)).get(f"admin/export/{name}"))
    client.force_login(member)
    assert client.get(page).status_code == 405
    assert rows(client.post(page))[0] == HEADERS[name].split(",")


def test_an_unknown_export_says_so(program):
    response = program.get("admin/export/passwords")
    assert (response.status_code, code_of(response)) == (404, "unknown_export")


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_no_cell_of_any_file_is_run_by_a_spreadsheet(program, boss, start):
    populate(text=f'{start}HYPERLINK("http://x")', staff=boss)
    for name in HEADERS:
        for row in rows(program.get(f"admin/export/{name}")):
            for cell in row:
                assert not re.match(r"[=+@\t\r\n-]", cell) or re.fullmatch(r"-?\d+(\.\d+)?", cell), (name, row)


def test_balances_are_those_that_the_api_tells_and_nobody_is_left_out(program):
    spender, newcomer = CustomerFactory(), CustomerFactory()
    for kind, amount in ((TransactionKind.GIFT, "100"), (TransactionKind.USAGE, "-12.5")):
        credits.post(Posting(user_id=spender.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{kind}"))
    assert rows(program.get("admin/export/balances"))[1:] == [
        [spender.email, "87.5", "12.5", "12.5", ""],
        [newcomer.email, "0", "0", "0", ""],
    ]


def test_what_was_consumed_in_a_month_that_is_over_is_not_of_this_month(program):
    spender = CustomerFactory()
    with clock.at(clock.now().replace(year=2026, month=1)):
        for kind, amount in ((TransactionKind.GIFT, "100"), (TransactionKind.USAGE, "-10")):
            credits.post(Posting(user_id=spender.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{kind}"))
    assert rows(program.get("admin/export/balances"))[1] == [spender.email, "90", "0", "10", ""]


def test_the_list_of_customers_offers_both_of_its_files_to_who_may_have_them(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.export_ledger"]))
    CustomerFactory(plan="pro", email="ada@example.com")
    CustomerFactory(plan="free")
    page = client.get(reverse("admin:accounts_customer_changelist"), {"plan": "pro"})
    [offered] = page.context["exports"]
    assert offered["label"] == "Balances"
    assert rows(client.post(offered["url"]))[1:] == [["ada@example.com", "0", "0", "0", ""]]
    assert Customer.objects.count() == 2


def made_in_background(name, member, **params):
    job = create_job(kind=f"export.{name}", actor=member, params=params)
    run_job(job_id=job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.django_db(transaction=True)
def test_a_job_makes_the_file_of_a_filtered_list_and_tells_how_many_rows_it_has(boss):
    for plan in ("pro", "free", "pro"):
        CustomerFactory(plan=plan)
    job = made_in_background("users", boss, filters={"plan": ["pro"]})
    assert (job.state, job.done, job.total, job.message) == (JobState.DONE, 2, 2, "2 rows.")
    assert job.result_name == f"users_{clock.now():%Y-%m-%d}.csv"
    with open_result(job) as file:
        head, *lines = file.read().decode().splitlines()
    assert head == HEADERS["users"]
    pros = Customer.objects.filter(plan="pro").order_by("pk")
    assert [line.split(",")[1] for line in lines] == [customer.email for customer in pros]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", HEADERS)
def test_a_job_makes_each_file_whole(boss, name):
    assert made_in_background(name, boss).state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_who_lost_the_permission_meanwhile_gets_no_file():
    member = StaffFactory(permissions=["accounts.view_customer", "accounts.export_customers"])
    job = create_job(kind="export.users", actor=member)
    member.user_permissions.clear()
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.result_file) == (JobState.FAILED, "")
    assert "may not do this any more" in job.error
    with pytest.raises(NotAllowed):
        create_job(kind="export.users", actor=StaffFactory())


@pytest.mark.parametrize("token", ["", "\0", "not one of ours", "x" * 500])
def test_a_file_is_asked_for_with_whatever_token_a_form_was_forged_to_hold(client, token):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.export_ledger"]))
    [offered] = client.get(reverse("admin:accounts_customer_changelist")).context["exports"]
    assert client.post(offered["job_url"], {"token": token}).status_code == 302
    assert Job.objects.get().token is None
