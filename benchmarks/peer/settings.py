"""The smallest project that django-hordak and dj-stripe run in."""

import os

from psycopg import conninfo

_login = conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])

SECRET_KEY = "signs nothing"  # noqa: S105
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_CURRENCY = HORDAK_INTERNAL_CURRENCY = "USD"
CURRENCIES = ["USD"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak", "djstripe"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _login["dbname"],
        "USER": _login["user"],
        "PASSWORD": _login["password"],
        "HOST": _login.get("host", ""),
        "PORT": _login.get("port", ""),
    }
}
ROOT_URLCONF = "benchmarks.peer.urls"
ALLOWED_HOSTS = ["testserver"]
STRIPE_TEST_SECRET_KEY = "sk_test_OfTheBenchmarkAsksNobody00"  # noqa: S105 (asks nobody)
STRIPE_LIVE_MODE = False
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
