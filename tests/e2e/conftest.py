"""One running product and one browser for all tests of this folder."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import stack as stacks
from tests.e2e.staff import Staff

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def stack() -> Iterator[stacks.Stack]:
    with stacks.data_directory() as data_dir, stacks.running(data_dir, "--no-demo") as running:
        running.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_EMAIL="grace@example.com",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Without one of these, Playwright's own browser is used if it is installed.
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def staff(stack: stacks.Stack, browser: Browser) -> Iterator[Staff]:
    """A member of staff at a browser, logged in; whatever the browser complains of fails the test."""
    # Without motion, colours are what they are as soon as the theme changes.
    context = browser.new_context(base_url=stack.url, accept_downloads=True, reduced_motion="reduce")
    member = Staff(context.new_page())
    member.log_in("grace@example.com", PASSWORD)
    yield member
    context.close()
    assert member.complaints == []
