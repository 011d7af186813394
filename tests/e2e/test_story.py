"""A payment becomes credits that staff find, add to and account for, in the running product and a real browser."""

import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.tests import stripe_bodies
from tests import stack as stacks

pytestmark = pytest.mark.browser

NEW_CUSTOMER = (
    "from accounts.models import User;"
    " print(User.objects.create_user('ada@example.com', external_id='u_ada', full_name='Ada Lovelace').pk)"
)


def deliver(stack, body):
    """Post one signed event as Stripe does; answers the status."""
    request = urllib.request.Request(  # noqa: S310 (the address is the running product's)
        f"{stack.url}/webhooks/stripe/",
        data=body,
        headers={
            "Content-Type": "application/json",
            "Stripe-Signature": stripe_bodies.signature(body, secret=stacks.WEBHOOK_SECRET),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return response.status


def until_balance_is(page, credits):
    """Reload the customer page until a worker has booked what is expected."""
    balance = page.locator(".figure-card", has_text="Available")
    deadline = time.monotonic() + 20
    while not re.search(rf"Available\s+{credits}\b", balance.inner_text()):
        assert time.monotonic() < deadline, balance.inner_text()
        time.sleep(0.5)
        page.reload()


def test_from_payment_to_gift_to_account(stack, staff):
    stack.manage("shell", "--no-imports", "-c", NEW_CUSTOMER)
    intent = stripe_bodies.payment_intent(metadata={"user_id": "u_ada", "credits": "100"}, amount=999)
    body = stripe_bodies.encoded(stripe_bodies.intent_succeeded(intent))
    with ThreadPoolExecutor(20) as senders:
        assert list(senders.map(lambda _: deliver(stack, body), range(20))) == [200] * 20

    page = staff.page
    page.get_by_role("link", name="Customers").first.click()
    page.keyboard.press("/")
    page.keyboard.type("ada@exam")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("ada@example.com")).first.click()
    until_balance_is(page, "100")

    page.get_by_role("link", name="Gift credits").first.click()
    page.get_by_label("Amount").fill("100")
    page.get_by_label("Reason").fill("Sorry for the outage")
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Is this right?").wait_for(state="visible")
    assert re.search(r"Balance\s+now\s*100\s+then\s*200", page.locator(".effect").inner_text())
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Gift credits").click()
    page.get_by_text("100 credits given. The balance is 200.").wait_for(state="visible")

    ledger = page.get_by_role("region", name="Ledger").inner_text()
    assert re.search(r"\+100\s+200", ledger)
    assert page.get_by_role("region", name="Ledger").locator("tbody").inner_text().count("Purchase\n") == 1
    assert staff.serious_faults() == []

    page.get_by_role("region", name="Audit").get_by_role("link", name="Gift credits").click()
    page.wait_for_url("**/admin/audit/auditentry/*/change/")
    entry = page.inner_text("main")
    assert re.search(r"balance\s+changed\s+100\s+200", entry)
    assert "Sorry for the outage" in entry
    assert staff.serious_faults() == []

    page.goto("/admin/credits/credittransaction/")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Ledger as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "ID,User Email,Type,Amount,Balance After,Description,Date"
    assert [line.split(",")[1:5] for line in lines[1:] if ",ada@example.com," in line] == [
        ["ada@example.com", "purchase", "100", "100"],
        ["ada@example.com", "gift", "100", "200"],
    ]
    assert stack.manage("verify_ledger").startswith("ok")
    assert stack.manage("verify_audit").startswith("ok")
