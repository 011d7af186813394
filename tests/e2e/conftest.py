"""One running product and one browser for all tests of this folder."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests import stack as stacks
from tests.e2e.staff import Staff, chromium
from tests.stripe_server import SECRET_KEY, StripeServer

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def stack(_stripe_server: StripeServer) -> Iterator[stacks.Stack]:
    stripe = {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_API_BASE": _stripe_server.url}
    with stacks.prepared_directory() as data_dir, stacks.running(data_dir, "--no-demo", environment=stripe) as running:
        running.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_EMAIL="grace@example.com",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


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


@pytest.fixture
def colleague(stack: stacks.Stack, browser: Browser) -> Iterator[Callable[[str], Staff]]:
    """Opens a browser of its own for a member of staff with the same password; complaints fail the test here too."""
    opened = []

    def open_for(email: str) -> Staff:
        context = browser.new_context(base_url=stack.url, reduced_motion="reduce")
        member = Staff(context.new_page())
        opened.append(member)
        member.log_in(email, PASSWORD)
        return member

    yield open_for
    for member in opened:
        member.page.context.close()
    assert [complaint for member in opened for complaint in member.complaints] == []
