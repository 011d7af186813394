"""Every page that the resolver knows, in a real browser, with hostile text in every field that users fill."""

import json
import re
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin

from tests.e2e.conftest import PASSWORD
from tests.e2e.staff import Staff

pytestmark = pytest.mark.browser

PAYLOAD = """"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'"""
# Fills the company with hostile text and tells every address that the resolver knows, with ids of that company.
HOSTILE_COMPANY = f"""
import json
from accounts.models import User
from tests.access.routes import addresses, filled
from tests.world import populate, value_of
populate(text={PAYLOAD!r}, staff=User.objects.get(email="grace@example.com"))
print(json.dumps([filled(address, value_of) for address in addresses()]))
"""
# Pages that end something or answer with a file, and what is only a part of a page.
LEFT_OUT = re.compile(r"/logout/|/export/|/jsi18n/|/autocomplete/|/r/|/progress/|/live/|/example/")


# Each part of the pages is a test of its own, so that workers share them: one for each app, and what is of no app.
APPS = sorted({model._meta.app_label for model in admin.site._registry})
ELSEWHERE = "elsewhere"


@pytest.fixture(scope="session")
def addresses(stack):
    """Those of the company, which a product can hold but once."""
    return json.loads(stack.manage("shell", "--no-imports", "-c", HOSTILE_COMPANY).splitlines()[-1])


@pytest.fixture(scope="module")
def pages(stack, browser, addresses):
    """What of it answers with a page, by its part."""
    context = browser.new_context(base_url=stack.url)
    member = Staff(context.new_page())
    member.log_in("grace@example.com", PASSWORD)
    parts = {part: [] for part in (*APPS, ELSEWHERE)}
    for address in addresses:
        if not LEFT_OUT.search(address) and is_page(member.page, address):
            parts[part_of(address)].append(address)
    context.close()
    return parts


def part_of(address):
    app = address.removeprefix("/admin/").partition("/")[0]
    return app if app in APPS else ELSEWHERE


def shape_of(address):
    """Pages of one kind differ in their numbers, and in their filters, only."""
    return re.sub(r"(?<=/)\d+(?=/|$)", "N", urlsplit(address).path)


# Some of the pages that a part must have, and how many of its forms show their effect first.
FOUND = {
    "credits": {"/admin/credits/credittransaction/gift/N/"},
    "audit": {"/admin/audit/auditentry/N/change/"},
    ELSEWHERE: {"/api/v1/docs"},
}
EFFECTS = {"accounts": 4, "billing": 1, "credits": 4, "jobs": 6}


def links_of(page):
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    addresses = (urljoin(page.url, link).partition("#")[0] for link in found)
    return [link for link in addresses if "/admin/" in link and not LEFT_OUT.search(link)]


def is_page(page, address):
    """Whether it answers with HTML to whoever may see everything."""
    response = page.request.get(address, max_redirects=0)
    assert response.status < 500, address
    return response.status == 200 and response.headers["content-type"].startswith("text/html")


def walk(page, addresses, others):
    """Visit one page of each shape among ``addresses`` and what links of theirs lead to, except for ``others``."""
    waiting, seen = list(addresses), {shape_of(address) for address in others}
    while waiting:
        address = waiting.pop(0)
        if shape_of(address) in seen:
            continue
        seen.add(shape_of(address))
        response = page.goto(address)
        assert response.status == 200, (address, response.status)
        waiting += links_of(page)
        yield address


def faults_of(staff):
    """What is wrong with the page that is open: for axe in both looks, and on a phone."""
    page = staff.page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        yield from (f"{scheme}: {fault}" for fault in staff.serious_faults())
    page.set_viewport_size({"width": 390, "height": 844})
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield f"{page.url} is wider than a phone"
    page.set_viewport_size({"width": 1280, "height": 800})


def goes_on_to_its_effect(page):
    """Fill a form that shows its effect first, with hostile text, and let it show it; whether the page is one."""
    button = page.get_by_role("button", name="Continue")
    if not button.count():
        return False
    for field in page.locator("main form input[type=text], main form input[type=number]").all():
        field.fill("1")
    for field in page.locator("main form textarea").all():
        field.fill(PAYLOAD)
    # The browser itself holds a form back that lacks something.
    if button.evaluate("button => button.form.reportValidity()"):
        with page.expect_navigation():
            button.click()
    return True


@pytest.mark.parametrize("part", [*APPS, ELSEWHERE])
def test_every_page_is_safe_accessible_and_fits_a_phone(staff, pages, part):
    page = staff.page
    others = [address for other, addresses in pages.items() if other != part for address in addresses]
    faults, visited, effects = [], set(), 0
    for address in walk(page, pages[part], others):
        visited.add(shape_of(address))
        faults += faults_of(staff)
        if goes_on_to_its_effect(page):
            faults += faults_of(staff)
            effects += page.get_by_role("heading", name="Is this right?").count()
    assert faults == []
    # The walk is worth nothing if nothing is found.
    assert visited >= FOUND.get(part, set())
    assert effects >= EFFECTS.get(part, 0)


def test_the_login_and_error_pages_are_accessible(stack, staff):
    staff.page.goto("/admin/nowhere/")
    assert staff.serious_faults() == []
    staff.complaints.clear()  # The browser itself logs the 404 of the page that was asked for.
    staff.page.context.clear_cookies()
    staff.page.goto("/admin/login/")
    assert staff.serious_faults() == []


def test_the_keyboard_reaches_search_help_and_the_rows(stack, staff):
    page = staff.page
    page.goto("/admin/accounts/customer/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for(state="visible")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


def test_the_theme_that_was_chosen_is_in_the_first_byte_of_the_next_page(stack, staff):
    page = staff.page
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": stack.url}])
    response = page.goto("/admin/")
    assert 'data-theme="dark"' in response.text()
