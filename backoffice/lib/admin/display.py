"""Values as the admin shows them: safe HTML, since whatever comes from a user is escaped here."""

import json
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.lib import clock, media
from backoffice.lib.money import format_credits, format_money

Tone = Literal["ok", "warn", "bad", "info", "mute"]

SPRITE = "img/icons.svg"
AVATAR_TONES = 6
# Balances under these are marked: the customer is about to run dry, or soon will be.
BALANCE_BAD, BALANCE_WARN = Decimal(10), Decimal(50)
RELATIVE_FOR = timedelta(days=30)


def icon(name: str, css_class: str = "") -> SafeString:
    """A drawing of the sprite. It says nothing to a screen reader: text beside it does."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css_class,
        static(SPRITE),
        name,
    )


def absent(hint: str = "") -> SafeString:
    """The dash that stands for no value."""
    return format_html('<span class="absent" title="{}">—</span>', hint) if hint else _DASH


def credits(amount: Decimal | None) -> SafeString:
    """Credits, in tabular figures."""
    return absent() if amount is None else _figure(format_credits(amount), negative=amount < 0)


def money(minor: int | None, currency: str) -> SafeString:
    """``minor`` units of ``currency``, in tabular figures."""
    return absent() if minor is None else _figure(format_money(minor, currency), negative=minor < 0)


def number(value: int | None) -> SafeString:
    """A whole number with its thousands apart."""
    return absent() if value is None else _figure(f"{value:,}", negative=value < 0)


def change(amount: Decimal) -> SafeString:
    """Credits that came or went, with their sign."""
    sign = "+" if amount > 0 else ""
    return format_html(
        '<span class="figure {}">{}{}</span>', "gain" if amount > 0 else "loss", sign, format_credits(amount)
    )


def balance(amount: Decimal | None) -> SafeString:
    """A balance in credits: red under 10, amber under 50, else green, each with a sign beside the colour."""
    if amount is None:
        return absent()
    tone, sign, words = _balance_state(amount)
    return format_html(
        '<span class="figure balance {}">{}{}<span class="visually-hidden">, {}</span></span>',
        tone,
        icon(sign),
        format_credits(amount),
        words,
    )


def moment(at: datetime | None) -> SafeString:
    """How long ago, or the date when that is long; the exact time in the reader's zone and in UTC on hover."""
    return absent() if at is None else _time(at, _spoken(timezone.localtime(at), clock.now()))


def day(at: datetime | None) -> SafeString:
    """The date in the reader's zone, where words stand before it: ``until 30 Jun 2026``. The time is on hover."""
    return absent() if at is None else _time(at, _day(timezone.localtime(at)))


def expiry(at: datetime | None) -> SafeString:
    """When something ceases to hold: ``end of 30 Jun 2026`` for the midnight after it, else the day with the time."""
    if at is None:
        return SafeString("never")
    local = timezone.localtime(at)
    if local.time() == time.min:
        return _time(at, f"end of {_day(local - timedelta(days=1))}")
    return _time(at, f"{_day(local)}, {local:%H:%M}")


def badge(text: str, tone: Tone = "mute") -> SafeString:
    """A state in a word."""
    return format_html('<span class="badge {}">{}</span>', tone, text)


def copyable(text: str) -> SafeString:
    """``text`` with a button that copies it. Not for a list's link column: a link cannot hold a button."""
    if not text:
        return absent()
    return format_html(
        '<span class="copyable"><span>{}</span><button type="button" class="copy" data-copy="{}"'
        ' aria-label="Copy {}">{}</button></span>',
        text,
        text,
        text,
        icon("copy"),
    )


def link(url: str, text: Any) -> SafeString:
    """A link. An address that is neither ours nor http(s) becomes plain text: it may be a script."""
    if not url or urlsplit(url).scheme.lower() not in ("", "http", "https"):
        return format_html("{}", text)
    return format_html('<a href="{}">{}</a>', url, text)


def avatar(name: str, seed: object = "", image: str = "") -> SafeString:
    """The image if it comes from MEDIA_HOSTS, else initials on a colour that stays with ``seed``.

    Decoration: the name stands beside it.
    """
    if image and media.is_allowed(image, settings.MEDIA_HOSTS):
        return format_html('<img class="avatar" src="{}" alt="" width="28" height="28" loading="lazy">', image)
    tone = zlib.crc32(str(seed or name).encode()) % AVATAR_TONES
    return format_html('<span class="avatar tone-{}" aria-hidden="true">{}</span>', tone, initials(name))


def initials(name: str) -> str:
    """``MS`` of Margaret Silva, ``U`` of user4@example.com."""
    words = [word for word in name.partition("@")[0].replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def lines(rows: Iterable[Sequence[Any]], *, nothing: str = "") -> SafeString:
    """Rows of cells below each other, in columns; a dash that hints at ``nothing`` if there are none."""
    cells = ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", cells)
    return format_html('<table class="lines" role="presentation">{}</table>', body) if body else absent(nothing)


def json_block(value: Any) -> SafeString:
    """A payload, indented."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False, cls=DjangoJSONEncoder)
    return format_html('<pre class="code" tabindex="0"><code>{}</code></pre>', text)


_DASH = SafeString('<span class="absent">—</span>')


def _figure(text: str, *, negative: bool) -> SafeString:
    return format_html('<span class="figure{}">{}</span>', " negative" if negative else "", text)


def _time(at: datetime, words: str) -> SafeString:
    local, utc = timezone.localtime(at), at.astimezone(UTC)
    exact = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    if local.utcoffset():
        exact += f" · {utc:%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(), exact, words)


def _day(local: datetime) -> str:
    return f"{local.day} {local:%b %Y}"


def _balance_state(amount: Decimal) -> tuple[Tone, str, str]:
    if amount < BALANCE_BAD:
        return "bad", "alert", "very low"
    if amount < BALANCE_WARN:
        return "warn", "low", "low"
    return "ok", "check", "enough"


def _spoken(at: datetime, now: datetime) -> str:
    distance = abs(now - at)
    if distance >= RELATIVE_FOR:
        return _day(at)
    minutes = int(distance.total_seconds() // 60)
    if minutes < 1:
        return "just now" if at <= now else "in a moment"
    size, unit = next((size, unit) for size, unit in ((1440, "d"), (60, "h"), (1, "min")) if minutes >= size)
    # What is over is counted whole; what is to come to the nearest, or a week would be "in 6 d" as soon as it began.
    return f"{minutes // size} {unit} ago" if at <= now else f"in {(minutes + size // 2) // size} {unit}"
