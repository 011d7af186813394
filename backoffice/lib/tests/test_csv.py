import pytest
from django.db import connection
from django.db.models import F, Value

from accounts.models import User
from backoffice.lib import csv
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def cells(*columns):
    return b"".join(csv.stream(User.objects.order_by("pk"), columns)).decode().splitlines()[1:]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    CustomerFactory(full_name=f"{start}1+1")
    content = b"".join(csv.stream(User.objects.all(), [csv.Column("Name", "full_name", is_text=True)])).decode()
    assert content.removeprefix("Name\n").strip('"\n').startswith(f"'{start}")


@pytest.mark.parametrize("text", ["plain", "a=b", "'quoted", "{}", "%s %(x)s", "ünï", "back\\slash"])
def test_other_text_is_left_as_it_is(text):
    CustomerFactory(full_name=text)
    assert cells(csv.Column("Name", "full_name", is_text=True)) == [text]


def test_numbers_stay_numbers():
    CustomerFactory()
    assert cells(csv.Column("N", Value(-5))) == ["-5"]


@pytest.mark.parametrize(("currency", "shown"), [("USD", "12.34"), ("JPY", "1234"), ("KWD", "1.234")])
def test_minor_units_are_written_in_major_units(currency, shown):
    CustomerFactory()
    assert cells(csv.Column("Spend", csv.MajorUnits(Value(1234), currency))) == [shown]


def test_a_header_with_a_comma_is_quoted():
    stream = csv.stream(User.objects.all(), [csv.Column('a, "b"', "email")])
    assert next(stream) == b'"a, ""b"""\n'


def test_filters_with_odd_values_reach_the_database_as_values():
    CustomerFactory(full_name="O'Hara; DROP TABLE x --%")
    rows = User.objects.filter(full_name="O'Hara; DROP TABLE x --%")
    assert b"O'Hara" in b"".join(csv.stream(rows, [csv.Column("Name", "full_name", is_text=True)]))


def test_a_large_export_comes_in_chunks_of_bounded_size():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    User.objects.bulk_create(User(email=f"{n}@example.com", referral_code=f"c{n}") for n in range(10_000))
    sizes = [len(chunk) for chunk in csv.stream(User.objects.all(), [csv.Column("Email", F("email"), is_text=True)])]
    assert len(sizes) > 2
    assert max(sizes) < csv.CHUNK_BYTES + 200
