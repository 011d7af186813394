"""What each setting of the environment may hold. What production must be told at all is the matter of `production`."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backoffice.lib.money import is_currency

ON, OFF = {"1", "true", "yes", "on", "y", "ok"}, {"0", "false", "no", "off", "n"}
LOG_LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
ORIGIN = re.compile(r"https?://[^\s/?#@;,]+")
HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]")
# An address, alone or in angle brackets after a name, and on one line.
SENDER = re.compile(r"([^<>\r\n]+<)?[^\s<>@,]+@[^\s<>@,]+>?")
MAIL_SCHEMES = {"smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail"}
SHORTEST_WEBHOOK_SECRET = 16
CREDITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
MEDIA_HOST = re.compile(r"(https?://)?[\w*.\[\]:-]+(/[^\s;,'\"]*)?")


class Rule(NamedTuple):
    """Whether a value is understood, and the words for what is."""

    accepts: Callable[[str], object]
    must_be: str


def items(text: str) -> list[str]:
    """The items of a list that is written with commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def faults(environ: Mapping[str, str]) -> list[str]:
    """What is malformed, without the values: some are secret. A setting that is unset or empty is no fault."""
    given = ((name, environ.get(name, ""), rule) for name, rule in RULES.items())
    return [f"{name} must be {rule.must_be}" for name, value, rule in given if value and not rule.accepts(value)]


def _whole(least: int, most: int) -> Rule:
    def accepts(text: str) -> bool:
        return re.fullmatch(r"[0-9]{1,9}", text) is not None and least <= int(text) <= most

    return Rule(accepts, f"a whole number from {least} to {most}")


def _each(accepts: Callable[[str], object], must_be: str) -> Rule:
    return Rule(lambda text: all(accepts(item) for item in items(text)), f"{must_be}, separated by commas")


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_address(text: str, schemes: set[str], place: Callable[[str, str], bool]) -> bool:
    """Whether it is an address of one of these schemes, of whose host and path ``place`` approves."""
    try:
        parts = urlsplit(text)
        # Reading the port is what finds a password with a character that has to be escaped.
        return parts.scheme in schemes and (parts.port or 1) > 0 and place(parts.netloc, parts.path)
    except ValueError:
        return False


def _is_database(text: str) -> bool:
    return _is_address(text, {"postgres", "postgresql"}, lambda host, path: re.fullmatch("/[^/]+", path) is not None)


def _is_redis(text: str) -> bool:
    return _is_address(text, {"redis", "rediss"}, lambda host, path: bool(host)) or _is_address(
        text, {"unix"}, lambda host, path: len(path) > 1
    )


def _is_time_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    # A folder of the database, such as Europe, is none; nor is a path that leaves it.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_mail(text: str) -> bool:
    return _is_address(text, MAIL_SCHEMES, lambda host, path: bool(host) or not text.startswith("smtp"))


def _is_web(text: str) -> bool:
    return _is_address(text, {"http", "https"}, lambda host, path: bool(host))


SWITCH = Rule(lambda text: text.lower() in ON | OFF, "on or off")
DATABASE = Rule(_is_database, "like postgres://user:password@host/database, odd characters of the password as %XX")
WEB = Rule(_is_web, "an http or https address")
RULES = {
    "BACKOFFICE_ENV": Rule(lambda text: text in ("development", "production"), "development or production"),
    "DEBUG": SWITCH,
    "STRIPE_LIVEMODE": SWITCH,
    "SECURE_SSL_REDIRECT": SWITCH,
    "DATABASE_PREPARED_STATEMENTS": SWITCH,
    "STAFF_MFA_REQUIRED": SWITCH,
    "PORT": _whole(1, 65535),
    "DATABASE_POOL_SIZE": _whole(0, 1000),
    "LOG_LEVEL": Rule(lambda text: text.upper() in LOG_LEVELS, "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    "REPORTING_CURRENCY": Rule(is_currency, "an ISO 4217 code such as USD"),
    "REPORTING_TIME_ZONE": Rule(_is_time_zone, "the name of a time zone such as Europe/Berlin"),
    # A limit below 0 or beyond what Redis counts would be none at all.
    "API_RATE_LIMIT": _whole(0, 1_000_000),
    "API_STAFF_RATE_LIMIT": _whole(0, 1_000_000),
    "UPLOAD_MAX_MB": _whole(1, 100_000),
    # A refund of nothing but lapsed credits gives them back for at least a day.
    "CREDIT_REFUND_GRACE_DAYS": _whole(1, 36500),
    **{f"RETENTION_{what}_DAYS": _whole(0, 36500) for what in ("ACTIVITY", "ADDRESS", "MESSAGE", "JOB")},
    # A dispute may come months after the payment that its event tells of.
    "RETENTION_STRIPE_DAYS": Rule(
        lambda text: text == "0" or _whole(180, 36500).accepts(text), "a whole number from 180 to 36500, or 0"
    ),
    "LOW_BALANCE_CREDITS": Rule(
        re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?").fullmatch, "an amount of credits such as 10 or 2.5"
    ),
    "TRUSTED_PROXIES": _each(_is_network, "networks such as 10.0.0.0/8"),
    "CSRF_TRUSTED_ORIGINS": _each(ORIGIN.fullmatch, "origins such as https://backoffice.example.com, without a path"),
    "ALLOWED_HOSTS": _each(HOST.fullmatch, "host names such as backoffice.example.com, without scheme and port"),
    "MEDIA_HOSTS": _each(MEDIA_HOST.fullmatch, "hosts such as https://media.example.com"),
    "DATABASE_URL": DATABASE,
    "DATABASE_OWNER_URL": DATABASE,
    "DATABASE_READONLY_URL": DATABASE,
    "REDIS_URL": Rule(_is_redis, "like redis://host:6379/0, rediss://host or unix:///path"),
    "STRIPE_API_BASE": WEB,
    "PRODUCT_WEBHOOK_URL": WEB,
    "SLACK_WEBHOOK_URL": WEB,
    "PRODUCT_WEBHOOK_SECRETS": _each(
        lambda text: len(text) >= SHORTEST_WEBHOOK_SECRET, f"texts of at least {SHORTEST_WEBHOOK_SECRET} characters"
    ),
    "EMAIL_URL": Rule(_is_mail, "like smtp+tls://user:password@host:587, odd characters of the password as %XX"),
    "DEFAULT_FROM_EMAIL": Rule(SENDER.fullmatch, "like Support <support@example.com>"),
}
