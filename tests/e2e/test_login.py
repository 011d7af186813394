"""The login in a real browser, with a second factor required: an app, passkeys, and what is lost found again."""

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest

from tests import stack as stacks
from tests.e2e.conftest import PASSWORD
from tests.e2e.staff import Staff

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def strict():
    """A product of its own, in which staff need a second factor."""
    environment = {"STAFF_MFA_REQUIRED": "on"}
    with stacks.prepared_directory() as folder, stacks.running(folder, "--no-demo", environment=environment) as running:
        yield running


@pytest.fixture
def member(strict):
    """A new super admin for each test."""
    name = f"grace-{time.monotonic_ns()}@example.com"
    told = {"DJANGO_SUPERUSER_EMAIL": name, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    strict.manage("createsuperuser", "--noinput", **told)
    return name


class Visitor(Staff):
    """Somebody at a browser, who looks at each page in every look before going on."""

    faults: list[str]

    def look(self) -> None:
        page = self.page
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            self.faults += [f"{scheme}: {fault}" for fault in self.serious_faults()]
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self.faults.append(f"{page.url} is wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 800})

    def give_password(self, email: str, password: str = PASSWORD) -> None:
        self.page.goto("/admin/accounts/customer/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.look()
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.page.locator("details.user-menu summary").click()
        self.page.get_by_role("button", name="Log out").click()
        self.page.get_by_role("heading", name="You are logged out").wait_for()

    def press(self, button: str, then: str) -> None:
        self.page.get_by_role("button", name=button).click()
        self.page.wait_for_url(then)


@pytest.fixture
def visitor(strict, browser):
    # An address of numbers cannot have passkeys.
    url = f"http://localhost:{strict.port}"
    context = browser.new_context(base_url=url, accept_downloads=True, reduced_motion="reduce")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    visitor = Visitor(page)
    visitor.faults = []
    yield visitor
    context.close()
    assert visitor.complaints == []
    assert visitor.faults == []


def code(secret, steps=0):
    """RFC 6238, told once more: what any authenticator app shows."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def test_an_app_is_set_up_asked_for_and_lost(strict, visitor, member):
    page = visitor.page
    visitor.give_password(member)
    page.wait_for_url("**/account/second-factor/")
    visitor.look()
    page.get_by_role("link", name=re.compile("Authenticator app")).click()
    page.get_by_text("The app cannot scan?").click()
    secret = page.locator("code.secret .copyable > span").inner_text()
    assert page.locator(".qr-code").evaluate("image => image.complete && image.naturalWidth > 0")
    visitor.look()
    page.get_by_label("Code that the app shows").fill("000000")
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("The app shows another code").wait_for()
    visitor.look()
    page.get_by_label("Code that the app shows").fill(code(secret))
    visitor.press("Set it up", "**/recovery-codes/")
    visitor.look()
    codes = page.locator(".codes code").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert set(codes) <= set(download.value.path().read_text().split())
    # On to where they were going.
    visitor.press("I have put them away", "**/admin/accounts/customer/")

    visitor.log_out()
    visitor.look()
    visitor.give_password(member)
    page.wait_for_url("**/login/second-factor/")
    visitor.look()
    page.get_by_label("Code").fill(code(secret, steps=1))
    visitor.press("Log in", "**/admin/accounts/customer/")

    # The phone is gone: a recovery code opens, and a new one is set up in its place.
    visitor.log_out()
    visitor.give_password(member)
    page.get_by_label("Code").fill(codes[0])
    visitor.press("Log in", "**/admin/accounts/customer/")
    page.goto("/admin/account/")
    visitor.look()
    assert "9 are left" in page.inner_text("main")
    page.get_by_role("link", name=re.compile("^Remove")).click()
    visitor.look()
    visitor.press("Remove it", "**/admin/account/")
    page.get_by_text("add another one before you remove this").wait_for()


def test_a_passkey_is_set_up_asked_for_and_proves_again(strict, visitor, member):
    page = visitor.page
    visitor.give_password(member)
    page.get_by_role("link", name=re.compile("Passkey")).click()
    page.get_by_label("Name").fill("Work laptop")
    visitor.look()
    visitor.press("Make the passkey", "**/recovery-codes/")
    visitor.press("I have put them away", "**/admin/accounts/customer/")

    visitor.log_out()
    visitor.give_password(member)
    page.wait_for_url("**/login/second-factor/")
    visitor.press("Use a passkey", "**/admin/accounts/customer/")

    page.goto("/admin/account/confirm/?next=/admin/account/")
    visitor.look()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("Work laptop").wait_for()
    page.goto("/admin/account/sessions/")
    visitor.look()
    assert "This one" in page.inner_text("main")
    page.goto("/admin/password_change/")
    visitor.look()

    # A second one of the same device is refused in words.
    page.goto("/admin/account/second-factor/passkey/")
    page.get_by_label("Name").fill("Again")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("This device or key is set up already").wait_for()
    visitor.look()


def test_who_guesses_is_turned_away_and_a_mail_lets_the_owner_in(strict, visitor, member):
    page = visitor.page
    for _ in range(5):
        page.goto("/admin/login/")
        page.get_by_label("Email").fill(member)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Too many tries").wait_for()
    visitor.look()
    visitor.complaints.clear()  # The browser itself logs the 429 of the page that was asked for.
    page.get_by_role("link", name="new password by mail").click()
    page.get_by_label("Email").fill(member)
    visitor.look()
    visitor.press("Send the link", "**/password-reset/sent/")
    visitor.look()
    page.goto(link_in_mail(strict, member))
    new = "a wholly different password"
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password confirmation").fill(new)
    visitor.look()
    visitor.press("Set the password", "**/admin/login/")
    visitor.give_password(member, new)
    page.wait_for_url("**/account/second-factor/")


def link_in_mail(stack, recipient):
    """What a worker mailed to ``recipient``, as soon as it has."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for file in (stack.data_dir / "mail").glob("*"):
            text = file.read_text()
            if f"To: {recipient}" in text and (link := re.search(r"http://\S+/password-reset/\S+", text)):
                return link[0]
        time.sleep(0.2)
    raise AssertionError("no mail came")
