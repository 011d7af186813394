import subprocess
import sys

import pytest

from backoffice.lib import environment, production
from tests.databases import REPOSITORY

GOOD = {
    "BACKOFFICE_ENV": "production",
    "DATABASE_URL": "postgres://app:x@localhost/backoffice",
    "REDIS_URL": "redis://localhost",
    "ALLOWED_HOSTS": "backoffice.example.com",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "STRIPE_LIVEMODE": "on",
    "SECRET_KEY": "dk3l0vj28sLwq9fPz7yBn4xTc1mGh6RaeUoViSxJ5KbQtNdWpY",
}


@pytest.mark.parametrize("sign", ["DATABASE_URL", "ALLOWED_HOSTS", "STRIPE_LIVEMODE"])
def test_a_real_setting_makes_it_production_unless_it_is_told(sign):
    assert environment.name({sign: "x"}) == "production"
    assert environment.name({sign: "x", "BACKOFFICE_ENV": "development"}) == "development"


def test_without_any_of_them_it_is_development():
    assert environment.name({}) == "development"
    assert production.faults({}) == []


def test_a_whole_production_environment_has_no_faults():
    assert production.faults(GOOD) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "a.example.com,*"),
        ("STRIPE_WEBHOOK_SECRETS", ""),
        ("STRIPE_LIVEMODE", ""),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-" + GOOD["SECRET_KEY"]),
        ("DEBUG", "True"),
        ("STAFF_MFA_REQUIRED", "off"),
    ],
)
def test_each_weak_setting_is_named(name, value):
    assert [fault.split()[0] for fault in production.faults(GOOD | {name: value})] == [name]


@pytest.mark.parametrize(
    "told",
    [
        {"PRODUCT_WEBHOOK_URL": "https://product.example.com", "PRODUCT_WEBHOOK_SECRETS": ""},
        {"PRODUCT_WEBHOOK_URL": "http://product.example.com", "PRODUCT_WEBHOOK_SECRETS": "a-secret-of-the-product"},
        {"SLACK_WEBHOOK_URL": "http://hooks.slack.com/services/x"},
        {"EMAIL_URL": "smtp://mail.example.com", "DEFAULT_FROM_EMAIL": ""},
    ],
)
def test_a_setting_that_needs_another_or_would_send_secrets_in_the_clear_is_named(told):
    assert [fault.split()[0] for fault in production.faults(GOOD | told)] == [next(iter(told))]


def test_the_start_is_refused_with_one_line():
    weak = GOOD | {"SECRET_KEY": "short", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=REPOSITORY, env=weak, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "SECRET_KEY must be a random text" in ended.stderr
