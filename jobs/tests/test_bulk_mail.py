"""Mails to many customers: each filled in for whoever gets it, written once, and never to who is shut out."""

import pytest

from accounts import services as accounts
from accounts.models import Customer, User
from jobs import services
from jobs.admin import bulk_mail
from jobs.mail_texts import filled, unknown_places
from jobs.models import JobItem, JobState, OutboxMessage
from jobs.tests.test_pages import address, confirmed, token_of
from tests.api import Program, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import while_another_waits

pytestmark = pytest.mark.django_db

FIELDS = {"subject": "News for {first_name}", "text": "Hello {name},\nyou are on {plan}.", "reason": "the new plan"}


@pytest.fixture
def writer(db):
    return StaffFactory(permissions=["jobs.mail_customers", "accounts.view_customer"])


def drafted(writer, customers):
    targets = User.objects.filter(pk__in=[customer.pk for customer in customers])
    return services.draft_job(kind=bulk_mail.MAIL, actor=writer, targets=targets)


def sent(client, writer, customers, **fields):
    client.force_login(writer)
    job = drafted(writer, customers)
    confirmed(client, address(job, "prepare"), **FIELDS | fields)
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi {name}!", "Hi Ada L.!"),
        ("{name}{name}", "Ada L.Ada L."),
        ("{ name } {{name}} {} {0} {name.__class__}", "{ name } {Ada L.} {} {0} {name.__class__}"),
        ("{email}", "{name} x"),
    ],
)
def test_only_known_places_are_filled_and_what_they_hold_is_text(text, expected):
    values = {"name": "Ada\r\nL.", "email": "{name}\nx", "": "{}", "0": "{0}", "name.__class__": "{name.__class__}"}
    assert filled(text, values) == expected


def test_what_cannot_be_filled_is_named():
    assert unknown_places("{name} {nmae} {} {0} {name.x} { a } {{plan}}") == ["", "0", "name.x", "nmae"]


def test_each_customer_gets_their_own_mail_once(client, writer):
    ada, nobody = CustomerFactory(full_name="Ada Lovelace", plan="pro"), CustomerFactory(full_name="")
    job = sent(client, writer, [ada, nobody])
    assert (job.state, job.done, job.refused) == (JobState.DONE, 2, 0)
    mails = {mail.user_id: mail for mail in OutboxMessage.objects.all()}
    first, second = mails[ada.pk], mails[nobody.pk]
    assert (first.recipient, first.subject, first.body) == (
        ada.email,
        "News for Ada",
        "Hello Ada Lovelace,\nyou are on pro.",
    )
    assert (second.subject, second.body) == ("News for there", "Hello customer,\nyou are on no plan.")
    assert {(mail.channel, mail.state, mail.job_id, mail.key) for mail in mails.values()} == {
        ("mail", "pending", job.pk, f"job:{job.pk}:{ada.pk}"),
        ("mail", "pending", job.pk, f"job:{job.pk}:{nobody.pk}"),
    }
    JobItem.objects.update(state="pending")
    type(job).objects.update(state="running", finished_at=None, done=0)
    services.run_job(job_id=job.pk)
    assert OutboxMessage.objects.count() == 2


def test_who_is_banned_is_not_written_to_even_if_it_happened_after_the_form(client, writer):
    banned, later = CustomerFactory(status="banned"), CustomerFactory()
    client.force_login(writer)
    job = drafted(writer, [banned, later, CustomerFactory()])
    form = address(job, "prepare")
    shown = client.post(form, {"token": token_of(client.get(form)), **FIELDS})
    assert ("Left out", "1 who are banned") in [(change.label, change.after) for change in shown.context["changes"]]
    confirmed(client, form, **FIELDS)
    Customer.objects.filter(pk=later.pk).update(status="banned")
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.done, job.refused) == (3, 2)
    assert OutboxMessage.objects.count() == 1


def test_the_form_shows_the_mail_as_its_first_recipient_gets_it_escaped(client, writer, settings):
    settings.EMAIL_URL = ""
    CustomerFactory()
    first = CustomerFactory(full_name="<b>Ada</b>")
    client.force_login(writer)
    job = drafted(writer, [first, CustomerFactory()])
    form = address(job, "prepare")
    page = client.post(form, {"token": token_of(client.get(form)), **FIELDS}).content.decode()
    assert "News for &lt;b&gt;Ada&lt;/b&gt;" in page and "<b>Ada</b>" not in page
    assert first.email in page
    assert "mail is not configured" in page and "not possible once they are sent" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Dear {nmae}"),
        ("text", "{name.__class__}"),
        ("subject", "one\nBcc: two@example.com"),
        ("subject", "one\u2028two"),
        ("subject", ""),
        ("text", ""),
        ("reason", ""),
        ("subject", "x" * 121),
        ("text", "a\0b"),
    ],
)
def test_a_mail_that_cannot_be_sent_as_it_is_is_refused_in_the_form(client, writer, field, value):
    client.force_login(writer)
    job = drafted(writer, [CustomerFactory()])
    form = address(job, "prepare")
    answer = client.post(form, {"token": token_of(client.get(form)), "confirm": "yes", **FIELDS, field: value})
    assert answer.context["form"].errors[field]
    job.refresh_from_db()
    assert job.state == JobState.DRAFT


def test_a_hostile_name_becomes_no_header(client, writer):
    job = sent(client, writer, [CustomerFactory(full_name="Ada\r\nBcc: x@example.com")], subject="For {name}")
    assert job.refused == 0
    assert OutboxMessage.objects.get().subject == "For Ada Bcc: x@example.com"


def test_mails_cannot_be_undone(client, writer):
    job = sent(client, writer, [CustomerFactory()])
    assert address(job, "undo") not in client.get(address(job)).content.decode()
    assert client.get(address(job, "undo")).status_code == 404


def test_writing_to_many_takes_its_own_permission(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.change_customer"]))
    CustomerFactory()
    assert "Send mail" not in client.get("/admin/accounts/customer/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("forgets_first", [True, False])
def test_no_mail_and_no_address_is_left_of_who_is_forgotten_while_it_is_written(writer, forgets_first):
    ada = CustomerFactory(email="ada@example.com", full_name="Ada")
    job = drafted(writer, [ada])
    given = {"subject": FIELDS["subject"], "text": FIELDS["text"]}
    services.start_bulk(job_id=job.pk, actor=writer, params=given, reason="news")
    acts = [
        lambda: accounts.anonymise_user(user_id=ada.pk, reason="Asked for it", actor=writer),
        lambda: services.run_job(job_id=job.pk),
    ]
    while_another_waits(*acts if forgets_first else acts[::-1])
    assert not [mail for mail in OutboxMessage.objects.all() if "ada" in f"{mail.recipient}{mail.body}".lower()]
    assert not OutboxMessage.objects.filter(state="pending").exists()


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x1d"])
def test_an_address_that_no_mail_can_be_written_to_keeps_nobody_else_from_theirs(client, writer, inside):
    # Such an address is a valid one, as the product tells it.
    broken = f'"a{inside}b"@example.com'
    told = Program(key()).put("users/u_broken", {"email": broken})
    assert told.status_code == 201
    others = [CustomerFactory(), CustomerFactory()]
    job = sent(client, writer, [*others, Customer.objects.get(email=broken)])
    assert (job.state, job.done, job.refused) == (JobState.DONE, 3, 1)
    assert OutboxMessage.objects.count() == 2
