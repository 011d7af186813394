import io
from csv import reader

import psutil
import pytest
from django.db import connection
from django.db.models import F, JSONField, Value

from accounts.models import ActivityEvent, User
from backoffice.lib import csv
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def cells(*columns):
    return b"".join(csv.stream(User.objects.order_by("pk"), columns)).decode().splitlines()[1:]


def visits(number, text=""):
    """Many acts at once, each with ``text`` in its details."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_activityevent (event_id, visitor_id, action, details, user_agent, at, created_at)"
            " SELECT n, 'v', 'visit', jsonb_build_object('text', %s::text), '', now(), now()"
            " FROM generate_series(1, %s) AS n",
            [text, number],
        )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    CustomerFactory(full_name=f"{start}1+1")
    content = b"".join(csv.stream(User.objects.all(), [csv.Column("Name", "full_name")])).decode()
    assert content.removeprefix("Name\n").strip('"\n').startswith(f"'{start}")


@pytest.mark.parametrize("text", ["plain", "a=b", "'quoted", "{}", "%s %(x)s", "ünï", "back\\slash"])
def test_other_text_is_left_as_it_is(text):
    CustomerFactory(full_name=text)
    assert cells(csv.Column("Name", "full_name")) == [text]


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
    assert b"O'Hara" in b"".join(csv.stream(rows, [csv.Column("Name", "full_name")]))


def test_a_large_export_comes_in_chunks_of_bounded_size():
    visits(10_000)
    sizes = [len(chunk) for chunk in csv.stream(ActivityEvent.objects.all(), [csv.Column("At", F("at"))])]
    assert len(sizes) > 2
    assert max(sizes) < csv.CHUNK_BYTES + 200


@pytest.mark.parametrize("start", ["＝", "＋", "－", "＠"])
def test_the_full_width_form_of_a_dangerous_letter_is_no_way_around(start):
    CustomerFactory(full_name=f"{start}1")
    assert cells(csv.Column("Name", "full_name")) == [f"'{start}1"]


def test_json_and_text_of_several_lines_are_cells_of_text():
    CustomerFactory(full_name="=1\n+2")
    told = [
        csv.Column("Name", "full_name"),
        csv.Column("JSON", Value({"a": "=1"}, output_field=JSONField())),
        csv.Column("Text as JSON", Value("@x", output_field=JSONField())),
    ]
    [row] = list(reader(io.StringIO("\n".join(cells(*told)))))
    assert row == ["'=1\n+2", '{"a": "=1"}', '"@x"']


def test_a_header_that_a_spreadsheet_would_run_gets_an_apostrophe_too():
    stream = csv.stream(User.objects.all(), [csv.Column("=A1", "email")])
    assert next(stream) == b"'=A1\n"


def test_nothing_is_an_empty_cell():
    CustomerFactory(external_id=None)
    assert cells(csv.Column("ID", "external_id"), csv.Column("Until", csv.UtcText(F("status_until")))) == [","]


def test_money_of_several_currencies_stands_in_its_own_units():
    for name, source in (("USD", "usd"), ("JPY", "jpy")):
        CustomerFactory(plan=name, signup_source=source, character_count=1234)
    assert cells(csv.Column("Paid", csv.major_units_of("character_count", "plan"))) == ["12.34", "1234"]


def test_a_slow_reader_lets_the_database_go_and_misses_nothing(monkeypatch):
    visits(10_000)
    all_of_them, columns = ActivityEvent.objects.order_by("pk"), [csv.Column("ID", "pk"), csv.Column("At", "at")]
    whole = b"".join(csv.stream(all_of_them, columns))
    monkeypatch.setattr(csv, "PATIENCE_SECONDS", -1)
    slow = csv.stream(all_of_them, columns)
    got = [next(slow), next(slow), next(slow)]
    # The same connection is free for other work, and the rest comes from the disk.
    ActivityEvent.objects.all().delete()
    assert b"".join([*got, *slow]) == whole


@pytest.mark.django_db(transaction=True)
def test_a_file_is_of_one_moment_while_others_write():
    visits(40_000)
    told = [csv.Column("Browser", "user_agent"), csv.Column("At", "at"), csv.Column("ID", "event_id")]
    stream = csv.stream(ActivityEvent.objects.all(), told)
    got = [next(stream), next(stream)]
    [changed] = at_once([lambda: ActivityEvent.objects.update(user_agent="another")])
    assert changed == 40_000
    lines = b"".join([*got, *stream]).decode().splitlines()[1:]
    assert len(lines) == 40_000
    assert {line.partition(",")[0] for line in lines} == {'""'}


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_goes_away_leaves_the_connection_ready_for_the_next():
    visits(40_000)
    stream = csv.stream(ActivityEvent.objects.all(), [csv.Column("At", "at")])
    next(stream), next(stream)
    stream.close()
    assert ActivityEvent.objects.count() == 40_000


def test_the_memory_that_a_file_takes_does_not_grow_with_its_rows():
    visits(100_000, "x" * 600)
    columns = [csv.Column("ID", "event_id"), csv.Column("Details", "details")]
    process, total, most = psutil.Process(), 0, 0
    stream = csv.stream(ActivityEvent.objects.all(), columns)
    next(stream)
    before = process.memory_info().rss
    for chunk in stream:
        total += len(chunk)
        most = max(most, process.memory_info().rss)
    assert total > 60_000_000
    assert most - before < 20_000_000
