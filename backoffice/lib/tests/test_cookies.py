"""Names of the cookies: two checkouts on one machine keep their logins apart, production guards its own."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from backoffice.lib.tests.test_production import GOOD
from tests.databases import REPOSITORY
from tests.factories import StaffFactory

NAMES = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME")
SHOW = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in dir(settings) if "COOKIE_" in name}))
"""


def cookie_settings(tmp_path, **variables):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=REPOSITORY,
        env=kept | {"DJANGO_SETTINGS_MODULE": "backoffice.settings", "BACKOFFICE_DATA_DIR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(shown.stdout)


def test_in_development_each_port_has_cookies_of_its_own(tmp_path):
    here, there = (cookie_settings(tmp_path, BACKOFFICE_ENV="development", PORT=port) for port in ("8000", "8001"))
    for name in NAMES:
        assert (here[name][-5:], there[name][-5:]) == ("_8000", "_8001")


def test_in_production_only_this_host_can_set_them_and_only_over_https(tmp_path):
    told = cookie_settings(tmp_path, **GOOD)
    assert [told[name] for name in NAMES] == ["__Host-sessionid", "__Host-csrftoken"]
    # What browsers ask of such a name.
    for cookie in ("SESSION", "CSRF"):
        assert (told[f"{cookie}_COOKIE_SECURE"], told[f"{cookie}_COOKIE_PATH"], told[f"{cookie}_COOKIE_DOMAIN"]) == (
            True,
            "/",
            None,
        )


@pytest.mark.django_db
def test_what_is_said_after_an_act_is_in_no_cookie_that_another_checkout_would_read(client):
    client.force_login(StaffFactory(is_superuser=True))
    client.post("/admin/accounts/role/add/", {"name": "Painters"})
    assert set(client.cookies) <= {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert "was added successfully" in client.get("/admin/accounts/role/").content.decode()
