"""A setting that makes no sense keeps everything from starting, in one line that names it."""

import os
import subprocess
import sys

import pytest

from backoffice.lib import configuration
from tests.databases import REPOSITORY

MALFORMED = [
    ("BACKOFFICE_ENV", "staging"),
    ("DEBUG", "perhaps"),
    ("DEBUG", "2"),
    ("DEBUG", " true "),
    ("STRIPE_LIVEMODE", "perhaps"),
    ("SECURE_SSL_REDIRECT", "maybe"),
    ("PORT", "abc"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "８０００"),
    ("PORT", "-1"),
    ("DATABASE_POOL_SIZE", "x"),
    ("DATABASE_POOL_SIZE", "-1"),
    ("DATABASE_POOL_SIZE", "9" * 30),
    ("LOG_LEVEL", "loud"),
    ("REPORTING_CURRENCY", "XX1"),
    ("REPORTING_CURRENCY", "US"),
    ("REPORTING_TIME_ZONE", "Mars/Olympus"),
    ("REPORTING_TIME_ZONE", "Europe"),
    ("REPORTING_TIME_ZONE", "../etc/passwd"),
    ("REPORTING_TIME_ZONE", "+02:00"),
    ("API_RATE_LIMIT", "-1"),
    ("API_RATE_LIMIT", "9" * 20),
    ("API_STAFF_RATE_LIMIT", "1.5"),
    ("CREDIT_REFUND_GRACE_DAYS", "0"),
    ("CREDIT_REFUND_GRACE_DAYS", "1.5"),
    ("CREDIT_REFUND_GRACE_DAYS", "36501"),
    ("LOW_BALANCE_CREDITS", "-1"),
    ("RETENTION_ACTIVITY_DAYS", "-1"),
    ("RETENTION_JOB_DAYS", "forever"),
    ("RETENTION_STRIPE_DAYS", "30"),
    ("RETENTION_STRIPE_DAYS", "179"),
    ("LOW_BALANCE_CREDITS", "1e3"),
    ("LOW_BALANCE_CREDITS", "0.00001"),
    ("DATABASE_PREPARED_STATEMENTS", "never"),
    ("TRUSTED_PROXIES", "foo"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("TRUSTED_PROXIES", "10.0.0.0/8,foo"),
    ("CSRF_TRUSTED_ORIGINS", "backoffice.example.com"),
    ("CSRF_TRUSTED_ORIGINS", "https://"),
    ("CSRF_TRUSTED_ORIGINS", "https://backoffice.example.com/"),
    ("ALLOWED_HOSTS", "https://backoffice.example.com"),
    ("ALLOWED_HOSTS", "backoffice.example.com:8000"),
    ("MEDIA_HOSTS", "https://media.example.com; script-src *"),
    ("DATABASE_URL", "nonsense"),
    ("DATABASE_URL", "mysql://app:x@localhost/backoffice"),
    ("DATABASE_URL", "postgres://localhost"),
    ("DATABASE_URL", "postgres://app:sl/ash@localhost/backoffice"),
    ("DATABASE_URL", "postgres://app:x@localhost:port/backoffice"),
    ("DATABASE_URL", "postgres://app:[@localhost/backoffice"),
    ("DATABASE_OWNER_URL", "nonsense"),
    ("DATABASE_READONLY_URL", "nonsense"),
    ("REDIS_URL", "ftp://x"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "unix://"),
    ("REDIS_URL", "redis://localhost:port"),
    ("STRIPE_API_BASE", "api.stripe.com"),
    ("PRODUCT_WEBHOOK_URL", "product.example.com"),
    ("PRODUCT_WEBHOOK_URL", "file:///etc/passwd"),
    ("PRODUCT_WEBHOOK_SECRETS", "short"),
    ("PRODUCT_WEBHOOK_SECRETS", "a-secret-of-the-product,short"),
    ("SLACK_WEBHOOK_URL", "hooks.slack.com"),
    ("EMAIL_URL", "mail.example.com:587"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp://user:pass/word@mail.example.com"),
    ("DEFAULT_FROM_EMAIL", "Support"),
    ("DEFAULT_FROM_EMAIL", "a@example.com\nBcc: b@example.com"),
    ("DEFAULT_FROM_EMAIL", "Support <a@example.com>, b@example.com"),
]
WELL_FORMED = [
    ("BACKOFFICE_ENV", "production"),
    ("DEBUG", "Off"),
    ("DEBUG", "TRUE"),
    ("STRIPE_LIVEMODE", "0"),
    ("PORT", "8001"),
    ("DATABASE_POOL_SIZE", "0"),
    ("LOG_LEVEL", "warning"),
    ("REPORTING_CURRENCY", "eur"),
    ("REPORTING_TIME_ZONE", "Australia/Lord_Howe"),
    ("API_RATE_LIMIT", "0"),
    ("API_STAFF_RATE_LIMIT", "600"),
    ("CREDIT_REFUND_GRACE_DAYS", "90"),
    ("LOW_BALANCE_CREDITS", "2.5"),
    ("RETENTION_ADDRESS_DAYS", "30"),
    ("RETENTION_STRIPE_DAYS", "0"),
    ("RETENTION_STRIPE_DAYS", "180"),
    ("DATABASE_PREPARED_STATEMENTS", "off"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, ::1, 192.168.1.7"),
    ("CSRF_TRUSTED_ORIGINS", "https://backoffice.example.com,https://*.example.com,http://localhost:8000"),
    ("ALLOWED_HOSTS", "backoffice.example.com, .example.com,127.0.0.1,[::1],*"),
    ("MEDIA_HOSTS", "https://media.example.com,*.cdn.example.com,https://x.example.com:8443/images/"),
    ("DATABASE_URL", "postgres://app:%2F%40@/backoffice?host=%2Ftmp%2Fsockets"),
    ("DATABASE_URL", "postgresql://app@db.example.com:5433/backoffice?sslmode=require"),
    ("REDIS_URL", "redis://localhost"),
    ("REDIS_URL", "rediss://:secret@redis.example.com:6380/1"),
    ("REDIS_URL", "unix:///tmp/redis.sock"),
    ("STRIPE_API_BASE", "http://127.0.0.1:12111"),
    ("PRODUCT_WEBHOOK_URL", "https://product.example.com/events?from=backoffice"),
    ("PRODUCT_WEBHOOK_SECRETS", "a-secret-of-the-product, its-successor-in-rotation"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/x"),
    ("EMAIL_URL", "smtp+tls://user%40example.com:pass%2Fword@mail.example.com:587"),
    ("EMAIL_URL", "consolemail://"),
    ("EMAIL_URL", "filemail:////tmp/mails"),
    ("DEFAULT_FROM_EMAIL", "support@example.com"),
    ("DEFAULT_FROM_EMAIL", "Our Support <support@example.com>"),
    *((name, "") for name in configuration.RULES),
]


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_setting_is_named_with_what_it_must_be_and_never_with_its_value(name, value):
    assert configuration.faults({name: value}) == [f"{name} must be {configuration.RULES[name].must_be}"]


@pytest.mark.parametrize(("name", "value"), WELL_FORMED)
def test_a_well_formed_or_empty_setting_is_no_fault(name, value):
    assert configuration.faults({name: value}) == []


def start(command, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))}
    return subprocess.run(
        [sys.executable, *command], cwd=REPOSITORY, env=kept | variables, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("command", [["manage.py", "check"], ["manage.py", "run"], ["-m", "backoffice.wsgi"]])
def test_nothing_starts_with_one_and_all_of_them_are_told_in_one_line(command, environment):
    ended = start(command, BACKOFFICE_ENV=environment, PORT="abc", LOG_LEVEL="loud")
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert "PORT must be a whole number from 1 to 65535" in line
    assert "LOG_LEVEL must be" in line
    assert ended.stdout == ""


def test_empty_settings_are_unset_ones(tmp_path):
    show = (
        "from django.conf import settings as s;"
        "print(s.PORT, s.LOGGING['root']['level'], s.REPORTING_CURRENCY, len(s.ALLOWED_HOSTS), s.SECURE_SSL_REDIRECT)"
    )
    empty = dict.fromkeys(configuration.RULES, "") | {"DJANGO_SETTINGS_MODULE": "backoffice.settings"}
    ended = start(["-c", show], **empty, BACKOFFICE_DATA_DIR=str(tmp_path))
    assert (ended.stdout.strip(), ended.stderr) == ("8000 INFO USD 3 False", "")


def test_lists_may_have_blanks_between_their_items(tmp_path):
    show = "from django.conf import settings as s; print(s.ALLOWED_HOSTS, [str(net) for net in s.TRUSTED_PROXIES])"
    ended = start(
        ["-c", show],
        DJANGO_SETTINGS_MODULE="backoffice.settings",
        BACKOFFICE_ENV="development",
        BACKOFFICE_DATA_DIR=str(tmp_path),
        ALLOWED_HOSTS="a.example.com, b.example.com,",
        TRUSTED_PROXIES="10.0.0.0/8, ::1",
    )
    assert ended.stdout.strip() == "['a.example.com', 'b.example.com'] ['10.0.0.0/8', '::1/128']"
