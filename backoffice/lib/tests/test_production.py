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
    ],
)
def test_each_weak_setting_is_named(name, value):
    assert [fault.split()[0] for fault in production.faults(GOOD | {name: value})] == [name]


def test_the_start_is_refused_with_one_line():
    weak = GOOD | {"SECRET_KEY": "short", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=REPOSITORY, env=weak, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "SECRET_KEY must be a random text" in ended.stderr
