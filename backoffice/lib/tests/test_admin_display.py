"""What the display helpers make of values, hostile ones above all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.lib import clock
from backoffice.lib.admin import display

HOSTILE = "<script>alert(1)</script>\"' onmouseover=x"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "html",
    [
        display.badge(HOSTILE, "ok"),
        display.badge("x", HOSTILE),
        display.copyable(HOSTILE),
        display.link("/there/", HOSTILE),
        display.link(f"/there/?{HOSTILE}", "x"),
        display.link(f"javascript:{HOSTILE}", HOSTILE),
        display.avatar(HOSTILE, HOSTILE),
        display.icon(HOSTILE, HOSTILE),
        display.absent(HOSTILE),
        display.json_block({HOSTILE: HOSTILE}),
    ],
)
def test_what_a_user_typed_is_escaped(html):
    assert isinstance(html, SafeString)
    assert "<script" not in html
    assert "\"' onmouseover" not in html


@pytest.mark.parametrize("address", ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "vbscript:x", ""])
def test_an_address_that_may_be_a_script_is_no_link(address):
    assert display.link(address, "Avatar") == "Avatar"


@pytest.mark.parametrize("address", ["/admin/", "https://example.com/a.png", "http://example.com"])
def test_an_ordinary_address_is_a_link(address):
    assert display.link(address, "Avatar") == f'<a href="{address}">Avatar</a>'


@pytest.mark.parametrize(
    ("amount", "tone", "word"),
    [
        ("-3", "bad", "very low"),
        ("9.9999", "bad", "very low"),
        ("10", "warn", "low"),
        ("49.99", "warn", "low"),
        ("50", "ok", "enough"),
        ("1000000", "ok", "enough"),
    ],
)
def test_a_balance_tells_its_state_by_colour_sign_and_word(amount, tone, word):
    html = display.balance(Decimal(amount))
    assert f'class="figure balance {tone}"' in html
    assert f", {word}<" in html
    assert "<use href=" in html


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=-20), "in a moment"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=29, hours=23), "29 d ago"),
        (timedelta(days=-2), "in 2 d"),
        (timedelta(days=-7, seconds=20), "in 7 d"),
        (timedelta(days=-6, hours=-9), "in 6 d"),
        (timedelta(seconds=-61), "in 1 min"),
        (timedelta(days=30), "8 Feb 2026"),
        (timedelta(days=-400), "14 Apr 2027"),
    ],
)
def test_a_moment_is_told_relative_while_it_is_near(ago, words):
    with clock.at(NOW):
        assert f">{words}</time>" in display.moment(NOW - ago)


def test_the_exact_moment_is_told_in_the_readers_zone_and_in_utc():
    with clock.at(NOW), timezone.override("Europe/Berlin"):
        html = display.moment(NOW)
    assert 'title="2026-03-10 13:00:00 CET · 2026-03-10 12:00:00 UTC"' in html
    assert 'datetime="2026-03-10T12:00:00+00:00"' in html


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        # The day that a form calls the last one ends at midnight, and the day after it is not to be read.
        ("Europe/Berlin", "end of 30 Jun 2026"),
        # Elsewhere it is another time of day, which is then told.
        ("UTC", "30 Jun 2026, 22:00"),
        ("Asia/Kolkata", "1 Jul 2026, 03:30"),
    ],
)
def test_an_expiry_at_midnight_is_the_end_of_the_day_before(zone, words):
    with clock.at(NOW), timezone.override(zone):
        html = display.expiry(datetime(2026, 6, 30, 22, tzinfo=UTC))
    assert f">{words}</time>" in html
    assert 'datetime="2026-06-30T22:00:00+00:00"' in html
    assert "2026-06-30 22:00:00 UTC" in html


@pytest.mark.parametrize(("zone", "words"), [("UTC", "9 Mar 2026"), ("Asia/Tokyo", "10 Mar 2026")])
def test_a_day_is_the_date_of_the_reader_with_its_time_on_hover(zone, words):
    with timezone.override(zone):
        html = display.day(datetime(2026, 3, 9, 20, 30, tzinfo=UTC))
    assert f">{words}</time>" in html
    assert 'datetime="2026-03-09T20:30:00+00:00"' in html


def test_what_does_not_expire_says_never():
    assert display.expiry(None) == "never"


@pytest.mark.parametrize(
    "html",
    [
        display.credits(None),
        display.money(None, "USD"),
        display.number(None),
        display.balance(None),
        display.moment(None),
        display.copyable(""),
    ],
)
def test_no_value_is_a_dash(html):
    assert html == '<span class="absent">—</span>'


def test_money_and_credits_are_figures():
    assert display.money(123456, "USD") == '<span class="figure">$1,234.56</span>'
    assert display.money(-500, "JPY") == '<span class="figure negative">-¥500</span>'
    assert display.credits(Decimal("1250.5000")) == '<span class="figure">1,250.5</span>'
    assert "+7<" in display.change(Decimal(7))
    assert "-7<" in display.change(Decimal(-7))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Margaret Silva", "MS"),
        ("Ada Augusta King Lovelace", "AL"),
        ("user4@example.com", "U"),
        ("grace.hopper@example.com", "GH"),
        ("  ", "?"),
        ("!!", "?"),
        ("@", "?"),
        ("李 明", "李明"),
    ],
)
def test_initials(name, letters):
    assert display.initials(name) == letters


def test_rows_stand_in_columns_and_none_is_a_dash():
    html = display.lines([("a", display.badge("b")), (HOSTILE, "c")], nothing="Nothing came")
    assert html.count("<tr>") == 2
    assert html.count("<td>") == 4
    assert "<script>" not in html
    assert display.lines([], nothing="Nothing came") == display.absent("Nothing came")
