"""Every page that staff can reach, in a real browser, with hostile text in every field that users fill."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

from billing.tests import stripe_bodies
from tests.e2e.test_story import deliver

pytestmark = pytest.mark.browser

PAYLOAD = """"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'"""
HOSTILE_CUSTOMER = f"""
from decimal import Decimal
from accounts.models import User
from accounts.services import record_activity
from credits import services as credits
from credits.kinds import TransactionKind
from credits.postings import Posting
text = {PAYLOAD!r}
user = User.objects.create_user(
    "hostile@example.com", full_name=text, plan=text[:64], signup_source=text[:64], external_id=text,
    avatar="javascript:alert(3)",
)
staff = User.objects.get(email="grace@example.com")
credits.gift_credits(user_id=user.pk, amount=Decimal(5), reason=text, actor=staff, idempotency_key="test:" + text)
bought = credits.post(Posting(
    user_id=user.pk, kind=TransactionKind.PURCHASE, amount=Decimal(50), idempotency_key="test:p",
    paid_minor=500, currency="USD", description=text, reference=text,
))
credits.charge_credits(
    user_id=user.pk, amount=Decimal(53), idempotency_key="test:u", action_type=text[:64], description=text,
    reference=text, metadata={{"text": text}},
)
credits.place_hold(user_id=user.pk, amount=Decimal(1), idempotency_key="test:h", reference=text)
credits.claw_back(
    transaction_id=bought.transaction_id, amount=Decimal(9), kind=TransactionKind.CHARGEBACK, idempotency_key="test:c",
    reference=text, description=text,
)
credits.verify_ledger(source="command")
User.objects.filter(pk=user.pk).update(status="suspended", status_reason=text)
record_activity(event_id=text, action=text[:64], user_id=user.pk, details={{"text": text}})
"""
# Pages that end something or answer with a file.
LEFT_OUT = re.compile(r"/logout/|/export/|/jsi18n/|/autocomplete/|/r/")


@pytest.fixture
def hostile_text(stack):
    stack.manage("shell", "--no-imports", "-c", HOSTILE_CUSTOMER)
    intent = stripe_bodies.payment_intent(metadata={"user_id": PAYLOAD, "credits": PAYLOAD}, description=PAYLOAD)
    deliver(stack, stripe_bodies.encoded(stripe_bodies.intent_succeeded(intent)))
    known = stripe_bodies.payment_intent(metadata={"user_id": PAYLOAD, "credits": "7"}, description=PAYLOAD)
    deliver(stack, stripe_bodies.encoded(stripe_bodies.intent_succeeded(known)))


def shape_of(address):
    """Pages of one kind differ in their numbers, and in their filters, only."""
    return re.sub(r"\d+", "N", urlsplit(address).path)


def links_of(page):
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    addresses = (urljoin(page.url, link).partition("#")[0] for link in found)
    return [link for link in addresses if "/admin/" in link and not LEFT_OUT.search(link)]


def walk(page, start):
    """Visit one page of each shape that links lead to, the start first."""
    waiting, seen = [start], set()
    while waiting:
        address = waiting.pop(0)
        if shape_of(address) in seen:
            continue
        seen.add(shape_of(address))
        response = page.goto(address)
        assert response.status == 200, (address, response.status)
        yield address
        waiting += links_of(page)


def test_every_page_is_safe_accessible_and_fits_a_phone(stack, staff, hostile_text):
    page = staff.page
    faults, visited = [], []
    for address in walk(page, "/admin/"):
        visited.append(shape_of(address))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            faults += [f"{scheme}: {fault}" for fault in staff.serious_faults()]
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{address} is wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 800})
    assert faults == []
    assert {
        "/admin/",
        "/admin/accounts/customer/",
        "/admin/accounts/customer/N/change/",
        "/admin/accounts/customer/N/history/",
        "/admin/accounts/staffmember/",
        "/admin/auth/group/add/",
        "/admin/audit/auditentry/",
        "/admin/audit/auditentry/N/change/",
        "/admin/billing/creditpack/add/",
        "/admin/billing/payment/",
        "/admin/billing/stripeevent/",
        "/admin/billing/stripeevent/N/change/",
        "/admin/credits/credittransaction/",
        "/admin/credits/credittransaction/N/change/",
        "/admin/credits/credittransaction/N/refund/",
        "/admin/credits/credittransaction/N/reverse/",
        "/admin/credits/credittransaction/adjust/N/",
        "/admin/credits/credittransaction/explain/N/",
        "/admin/credits/credittransaction/gift/N/",
        "/admin/credits/creditdebt/",
        "/admin/credits/creditdebt/N/change/",
        "/admin/credits/credithold/",
        "/admin/credits/credithold/N/change/",
        "/admin/credits/creditlot/",
        "/admin/credits/creditlot/N/change/",
        "/admin/credits/integrityrun/",
        "/admin/credits/integrityrun/N/change/",
        "/admin/password_change/",
    } <= set(visited)


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
