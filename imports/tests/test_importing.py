from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts import services as accounts
from accounts.models import ActivityEvent, Customer, CustomerFigures, User
from accounts.services import intake
from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.registry import PlanGuard, plan_guards
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditLot, CreditTransaction
from credits.postings import Posting
from imports.errors import FileFaulty, ImportRefused
from imports.models import CustomerImport
from imports.tests.files import HEADER, checked, imported, problems
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

FULL = f"""{HEADER},plan,country,signup_source,created_at,character_count,demo_mode,referral_code,referred_by,\
stripe_customer_id
ada@Example.COM,u_1,"Lovelace, Ada",250.5,1999,usd,2090-12-31,pro,gb,newsletter,2024-03-01,3,no,ADA2024,GRACE7,cus_Q1
grace@example.com,,,,,,,,,,,,,,,
demo@example.com,u_3,,,,,,,,,,,true,,,
"""


def test_new_customers_have_what_the_file_says_and_the_defaults_of_the_rest():
    report = imported(FULL)
    assert (report.rows, report.new, report.known, report.openings, report.credits) == (3, 3, 0, 1, "250.5")
    ada, grace, demo = Customer.objects.order_by("pk")
    assert {name: getattr(ada, name) for name in ("email", "external_id", "full_name", "plan", "country")} == {
        "email": "ada@example.com",
        "external_id": "u_1",
        "full_name": "Lovelace, Ada",
        "plan": "pro",
        "country": "GB",
    }
    assert (ada.signup_source, ada.character_count, ada.demo_mode) == ("newsletter", 3, False)
    assert (ada.referral_code, ada.stripe_customer_id) == ("ADA2024", "cus_Q1")
    assert ada.date_joined == ada.last_active_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert (grace.external_id, grace.full_name, grace.plan, grace.country, grace.status) == (None, "", "", "", "active")
    assert demo.demo_mode
    assert not ada.has_usable_password() and ada.password != grace.password
    codes = [grace.referral_code, demo.referral_code]
    assert len({*codes}) == 2 and all(len(code) == 8 for code in codes)


@pytest.mark.parametrize("given", ["KNOWN234", "GIVEN234", "OTHER234"])
def test_a_code_of_ours_that_somebody_has_is_made_anew(monkeypatch, given):
    CustomerFactory(referral_code="KNOWN234")
    # Both of ours are this one at first, whatever the random number.
    monkeypatch.setattr(intake, "NUMBER_THE_NEW", intake.NUMBER_THE_NEW.replace(intake.CODE, f"'{given}'"))
    imported("email,referral_code\nours@e.com,\ngiven@e.com,GIVEN234\nours.too@e.com,\n")
    codes = dict(Customer.objects.filter(email__endswith="@e.com").values_list("email", "referral_code"))
    assert codes["given@e.com"] == "GIVEN234"
    assert len({"KNOWN234", *codes.values()}) == 4
    assert ("OTHER234" in codes.values()) == (given == "OTHER234")


def test_the_figures_the_search_and_the_signup_follow():
    imported(FULL)
    ada = Customer.objects.get(external_id="u_1")
    figures = CustomerFigures.objects.get(user=ada)
    assert (figures.plan, figures.joined, figures.balance) == ("pro", ada.date_joined, Decimal("250.5"))
    signup = ActivityEvent.objects.get(user=ada)
    assert (signup.event_id, signup.action, signup.at) == (f"accounts:signup:{ada.pk}", "signup", ada.date_joined)
    assert signup.details == {"referred_by": "GRACE7", "signup_source": "newsletter"}
    assert ActivityEvent.objects.count() == 3


def test_an_opening_balance_is_an_adjustment_with_its_value_and_expiry():
    boss = StaffFactory(is_superuser=True)
    imported(FULL, actor=boss)
    entry = CreditTransaction.objects.get()
    assert (entry.kind, entry.amount, entry.actor_id) == (TransactionKind.ADJUSTMENT, Decimal("250.5"), boss.pk)
    lot = CreditLot.objects.get()
    assert (lot.paid_minor, lot.currency, lot.expires_at) == (1999, "USD", datetime(2090, 12, 31, tzinfo=UTC))
    assert list(selectors.verify()) == []


def test_an_import_is_one_entry_of_the_audit_log_with_numbers_and_no_names():
    boss = StaffFactory(is_superuser=True)
    imported(FULL, actor=boss)
    [entry] = AuditEntry.objects.filter(action="accounts.import_customers")
    given = CustomerImport.objects.get()
    assert (entry.actor_id, entry.reason, entry.resource_id) == (boss.pk, "test", str(given.pk))
    assert entry.new_values == {
        "sha256": given.sha256,
        "rows": 3,
        "new": 3,
        "known": 0,
        "opening_balances": 1,
        "credits": "250.5",
        "updates": False,
    }


def test_a_look_through_finds_what_the_import_would_do_and_writes_nothing():
    report = checked(FULL)
    assert (report.new, report.openings, report.faults) == (3, 1, 0)
    assert not Customer.objects.exists() and not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("email", "nobody", "This is not an email address."),
        ("email", "x" * 250 + "@b.co", "The value has 255 characters."),
        ("full_name", "x" * 201, "The value has 201 characters."),
        ("full_name", "a\x00b", "The value holds a NUL character."),
        ("country", "XX", "There is no such country."),
        ("created_at", "yesterday", "This is not a time."),
        ("created_at", "2999-01-01", "The time lies in the future."),
        ("created_at", "1910-01-01", "The time lies before 1970."),
        ("created_at", "0001-01-01T00:00:00+14:00", "This is not a time."),
        ("character_count", "-1", "This is not a whole number, or too large a one."),
        ("character_count", "１", "This is not a whole number, or too large a one."),
        ("character_count", "2147483648", "This is not a whole number, or too large a one."),
        ("demo_mode", "maybe", "This says neither yes nor no."),
        ("referral_code", "a b", "This is not a referral code."),
        ("stripe_customer_id", "4711", "This is not the id of a customer in Stripe."),
        ("opening_balance", "1,000", "Write the amount in plain digits, such as 100 or 0.25."),
        ("opening_balance", "-5", "The amount must be more than 0."),
        ("opening_balance", "NaN", "Write the amount in plain digits, such as 100 or 0.25."),
        ("opening_balance", "1e5", "Write the amount in plain digits, such as 100 or 0.25."),
        ("opening_balance", "0.00001", "An amount has at most 4 decimal places."),
        ("opening_value_minor", "19.99", "This is not a whole number, or too large a one."),
        ("opening_currency", "ABC", "There is no such currency."),
        ("opening_expires_at", "2999-01-01", "The time is more than a hundred years away."),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_line_column_and_problem(column, value, problem):
    told = {"email": "ada@example.com", column: value}
    text = f"{','.join(told)}\n{','.join(f'{chr(34)}{cell}{chr(34)}' for cell in told.values())}\nb@example.com,\n"
    if column == "email":
        text = f'email\n"{value}"\nb@example.com\n'
    report = checked(text)
    assert (2, column, problem) in problems(report)
    with pytest.raises(FileFaulty):
        imported(text)
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (",u_1,,,,,", ("email", "There is no email address.")),
        ("a@b.co,,,5,100,,", ("opening_currency", "A value and its currency belong together.")),
        ("a@b.co,,,5,,USD,", ("opening_value_minor", "A value and its currency belong together.")),
        ("a@b.co,,,,,,2090-01-01", ("opening_balance", "There is a value or an expiry and no balance.")),
        ("a@b.co,,,5,,,2020-01-01", ("opening_expires_at", "This lies in the past.")),
    ],
)
def test_cells_that_do_not_fit_each_other_are_named(cells, fault):
    assert problems(checked(f"{HEADER}\n{cells}\n")) == [(2, *fault)]


def test_a_balance_of_0_is_none_whatever_stands_beside_it():
    report = imported(f"{HEADER}\na@example.com,,,0.00,0,USD,2020-01-01\n")
    assert (report.new, report.openings) == (1, 0)
    assert not CreditTransaction.objects.exists()


def test_what_is_twice_in_the_file_is_named_with_the_line_of_the_first():
    report = checked(
        "email,external_id,stripe_customer_id,referral_code\n"
        "a@example.com,u_1,cus_1,AAA\nA@EXAMPLE.com,u_1,cus_1,AAA\nc@example.com,,,\nd@example.com,,,\n"
    )
    assert problems(report) == [
        (3, "email", "Line 2 has the same email address."),
        (3, "external_id", "Line 2 has the same external id."),
        (3, "referral_code", "Line 2 has the same referral code."),
        (3, "stripe_customer_id", "Line 2 has the same Stripe customer."),
    ]


def test_known_customers_are_refused_unless_they_are_to_be_updated():
    CustomerFactory(email="Ada@example.com", external_id=None)
    CustomerFactory(email="b@example.com", external_id="u_2")
    text = "email,external_id\nada@example.com,u_1\nnew@example.com,u_2\n"
    known = "There is a customer with this already."
    assert problems(checked(text)) == [(2, "email", known), (3, "external_id", known)]
    with pytest.raises(FileFaulty, match="2 errors in the file: nothing was imported"):
        imported(text)
    report = imported(text, updates=True)
    assert (report.new, report.known) == (0, 2)
    found = Customer.objects.order_by("pk").values_list("email", "external_id")
    assert list(found) == [("ada@example.com", "u_1"), ("new@example.com", "u_2")]


def test_an_update_changes_what_is_told_and_keeps_what_is_not():
    joined = clock.now() - timedelta(days=30)
    CustomerFactory(email="a@example.com", external_id="u_1", full_name="Ada", plan="pro", date_joined=joined)
    imported("email,external_id,full_name,plan,country\na@example.com,u_1,,free,DE\n", updates=True)
    ada = Customer.objects.get()
    assert (ada.full_name, ada.plan, ada.country, ada.date_joined) == ("Ada", "free", "DE", joined)
    assert CustomerFigures.objects.get().plan == "free"
    assert not ActivityEvent.objects.exists()


def test_what_identifies_a_customer_elsewhere_is_set_once():
    CustomerFactory(email="a@example.com", external_id="u_1", stripe_customer_id="cus_1", referral_code="AAA")
    CustomerFactory(email="b@example.com", external_id="u_2", stripe_customer_id="cus_2", referral_code="BBB")
    text = "email,external_id,stripe_customer_id,referral_code\n"
    other = "The customer whom this row means has another {} already: {}."
    assert problems(checked(text + "a@example.com,u_9,cus_9,CCC\n", updates=True)) == [
        (2, "external_id", other.format("external id", "u_1")),
        (2, "referral_code", other.format("referral code", "AAA")),
        (2, "stripe_customer_id", other.format("Stripe customer", "cus_1")),
    ]
    assert (2, "email", "Somebody else has this email address.") in problems(
        checked(text + "b@example.com,u_1,,\n", updates=True)
    )
    assert problems(checked(text + "c@example.com,,cus_1,AAA\n")) == [
        (2, "referral_code", "Somebody else has this referral code."),
        (2, "stripe_customer_id", "Somebody else has this Stripe customer."),
    ]


@pytest.mark.parametrize("updates", [False, True])
def test_members_of_staff_are_out_of_reach(updates):
    StaffFactory(email="grace@example.com", external_id="u_1")
    report = checked("email,external_id\nGRACE@example.com,\nx@example.com,u_1\n", updates=updates)
    staff = "This belongs to a member of staff, who is no customer."
    assert {(2, "email", staff), (3, "external_id", staff)} <= {*problems(report)}


@pytest.mark.parametrize("updates", [False, True])
def test_a_file_brings_nobody_back_who_was_merged_or_anonymised(updates):
    survivor, merged, gone = (CustomerFactory(external_id=name) for name in ("u_1", "u_2", "u_3"))
    staff = StaffFactory()
    accounts.merge_customers(survivor_id=survivor.pk, merged_id=merged.pk, reason="Twice", actor=staff)
    accounts.anonymise_user(user_id=gone.pk, reason="Asked for it", actor=staff)
    rows = [f"{merged.pk}@retired.invalid,,Ada", f"{gone.pk}@retired.invalid,,Ada", "a@b.com,u_2,A", "c@d.com,u_3,A"]
    report = checked("\n".join(["email,external_id,full_name", *rows]), updates=updates)
    into = f"This customer was merged into customer {survivor.pk}."
    assert [
        (2, "email", into),
        (3, "email", "This customer was anonymised, and is to stay so."),
        (4, "external_id", into),
        (5, "external_id", "This customer was anonymised, and is to stay so."),
    ] == [found for found in problems(report) if "There is a customer" not in found[2]]


def test_a_plan_that_something_else_decides_is_left_and_told_of():
    CustomerFactory(email="a@example.com", plan="pro")
    asked = []

    def managed_among(user_ids):
        asked.append(len(user_ids))
        return user_ids

    CustomerFactory(email="b@example.com", plan="pro")
    plan_guards.register(PlanGuard(key="test", managed_among=managed_among))
    try:
        report = imported("email,plan,country\na@example.com,free,DE\nb@example.com,free,\n", updates=True)
    finally:
        del plan_guards._entries["test"]
    ada, bob = Customer.objects.order_by("email")
    assert (ada.plan, ada.country, bob.plan) == ("pro", "DE", "pro")
    assert report.notes == ["2 customers keep the plan that something else decides."]
    # Once when it is looked through and once when it is written, however many there are.
    assert asked == [2] * len(asked)


def test_who_is_counted_cannot_become_a_demo_customer_and_a_demo_customer_has_no_balance():
    ada = CustomerFactory(email="a@example.com")
    services.post(Posting(user_id=ada.pk, kind=TransactionKind.GIFT, amount=Decimal(1), idempotency_key="test:gift"))
    CustomerFactory(email="b@example.com", demo_mode=True)
    text = "email,demo_mode,opening_balance\na@example.com,true,\nb@example.com,,5\nc@example.com,true,5\n"
    nothing = "A demo customer has no balance: nothing is charged or counted."
    assert problems(checked(text, updates=True)) == [
        (2, "demo_mode", "The customer has a ledger already."),
        (3, "opening_balance", nothing),
        (4, "opening_balance", nothing),
    ]


def test_a_customer_has_one_opening_balance_however_often_files_tell_of_it():
    text = f"{HEADER}\na@example.com,u_1,,100,999,USD,2090-01-01\n"
    imported(text)
    later = f"{HEADER}\na@example.com,u_1,Ada,100,,,\n"
    assert imported(later, updates=True).openings == 0
    assert Customer.objects.get().full_name == "Ada"
    assert CreditTransaction.objects.count() == 1
    assert problems(checked(f"{HEADER}\na@example.com,u_1,,70,,,\n", updates=True)) == [
        (2, "opening_balance", "The customer has an opening balance of 100 already.")
    ]
    with clock.at(datetime(2091, 1, 1, tzinfo=UTC)):
        assert checked(text, updates=True).faults == 0


def test_the_same_file_again_does_nothing_and_says_so():
    imported(FULL)
    report = imported(FULL)
    assert "The same file was imported on" in report.repeats and checked(FULL).repeats
    assert Customer.objects.count() == 3
    assert AuditEntry.objects.count() == 1


def test_opening_balances_need_the_right_to_adjust_and_only_they_do():
    member = StaffFactory(permissions=["accounts.import_customers"])
    with pytest.raises(ImportRefused, match="you may not adjust balances"):
        imported(FULL, actor=member)
    assert not Customer.objects.exists()
    assert imported("email\na@example.com\n", actor=member).new == 1


def test_referral_codes_of_ours_never_meet_one_that_is_taken(monkeypatch):
    from accounts.services import intake  # noqa: PLC0415 (the statement is made at import)

    CustomerFactory(referral_code="X0")
    # One of ten codes at first, so that they meet each other and the one that is taken.
    few = intake.NUMBER_THE_NEW.replace(intake.CODE, "'X' || row.line % 10")
    assert few != intake.NUMBER_THE_NEW
    monkeypatch.setattr(intake, "NUMBER_THE_NEW", few)
    imported("email\n" + "".join(f"c{n}@example.com\n" for n in range(50)))
    assert User.objects.values("referral_code").distinct().count() == 51


def test_what_our_own_exports_made_safe_is_read_as_it_was():
    imported("email,full_name\na@example.com,'=1+1\nb@example.com,'plain\n")
    assert list(Customer.objects.order_by("pk").values_list("full_name", flat=True)) == ["=1+1", "'plain"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name,plan\nx,y\n", (1, "", "There is no column email.")),
        ("email,balance\na@b.co,5\n", (1, "balance", "There is no such column.")),
        ("email,email\na@b.co,b@c.de\n", (1, "email", "The column email is there more than once, in places 1 and 2.")),
        ('email\na@b.co\n\n\n"open\n', (5, "", "A quotation mark that opens in this row is never closed.")),
        ("email,plan\na@b.co\n", (2, "", "The row has 1 values, and there are 2 columns.")),
        ("", (1, "", "The file is empty.")),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_by_line_and_nothing_is_imported(text, fault):
    assert problems(checked(text)) == [fault]
    with pytest.raises(FileFaulty):
        imported(text)
    assert not Customer.objects.exists()


def test_unknown_columns_are_left_out_when_that_was_chosen():
    assert imported("email,shoe size\na@example.com,42\n", ignores_unknown=True).new == 1


def test_every_error_is_told_in_the_order_of_the_file_and_a_part_on_the_page():
    text = "email,country\n" + "".join(f"c{n}@example.com,XX\n" for n in range(300)) + "c0@example.com,DE\n"
    report = checked(text)
    assert (report.rows, report.faults, len(report.first_faults)) == (301, 300, 100)
    assert [fault.line for fault in report.first_faults[:3]] == [2, 3, 4]
