"""A payment becomes credits that staff find, add to and account for, in the running product and a real browser."""

import re
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
    assert page.locator(".figures").get_by_text("100", exact=True).first.is_visible()

    page.get_by_role("link", name="Gift credits").first.click()
    page.get_by_label("Amount").fill("100")
    page.get_by_label("Reason").fill("Sorry for the outage")
    page.get_by_role("button").filter(has_text=re.compile("Preview|Gift|Continue|effect", re.I)).first.click()
    effect = page.locator("table", has_text="Balance").first.inner_text()
    assert re.search(r"100\s+200", effect)
    assert staff.serious_faults() == []
    page.get_by_role("button", name=re.compile("Gift|Confirm", re.I)).first.click()
    assert "100 credits given. The balance is 200." in page.inner_text("body")

    ledger = page.locator("#panel-ledger").inner_text()
    assert re.search(r"\+100\s+200", ledger)
    assert len(re.findall("Purchase", ledger)) == 1
    assert staff.serious_faults() == []

    page.locator("#panel-audit").get_by_role("link", name="credits.gift").click()
    entry = page.inner_text("main")
    assert re.search(r"balance\s+100\S*\s+200", entry)
    assert "Sorry for the outage" in entry
    assert staff.serious_faults() == []

    page.goto("/admin/credits/credittransaction/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "ID,User Email,Type,Amount,Balance After,Description,Date"
    assert [line.split(",")[1:5] for line in lines[1:]] == [
        ["ada@example.com", "purchase", "100", "100"],
        ["ada@example.com", "gift", "100", "200"],
    ]
    assert stack.manage("verify_ledger").startswith("ok")
    assert stack.manage("verify_audit").startswith("ok")
