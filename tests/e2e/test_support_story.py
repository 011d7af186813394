"""A support person's afternoon: a customer is found, given more than one may give alone, banned, and let in again."""

import json
import re
import sys
import time

import pytest

from tests.e2e.conftest import PASSWORD

pytestmark = pytest.mark.browser

PEOPLE = """
from django.contrib.auth.models import Group
from accounts.models import StaffMember, User
from decimal import Decimal
from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting
for email, name, role in (
    ("sam.support@example.com", "Sam Support", "Support"), ("bea.billing@example.com", "Bea Billing", "Billing admin"),
):
    member = StaffMember.objects.create_user(email, {password!r}, is_staff=True, full_name=name)
    member.groups.add(Group.objects.get(name=role))
for number in range(30):
    User.objects.create_user(f"someone{{number}}@example.com", external_id=f"u_some{{number}}")
user = User.objects.create_user("wilhelmina.quist@example.com", external_id="u_quist", full_name="Wilhelmina Quist")
services.post(Posting(
    user_id=user.pk, kind=TransactionKind.PURCHASE, amount=Decimal(40), idempotency_key="test:p", paid_minor=400,
    currency="USD",
))
"""


def test_found_given_above_the_limit_approved_banned_and_let_in_again(stack, colleague):
    stack.manage("shell", "--no-imports", "-c", PEOPLE.format(password=PASSWORD))
    sam, bea = colleague("sam.support@example.com"), colleague("bea.billing@example.com")
    began = time.monotonic()

    # Found by a part of the address, and the balance read.
    page = sam.page
    page.goto("/admin/accounts/customer/")
    page.keyboard.press("/")
    page.keyboard.type("wilhelm")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("wilhelmina.quist@example.com")).first.click()
    assert re.search(r"Available\s+40\b", page.locator(".figure-card", has_text="Available").inner_text())
    customer_page = page.url

    # A gift above the limit: told before anything is done, then asked for.
    page.get_by_role("link", name="Gift credits").first.click()
    page.get_by_label("Amount").fill("400")
    page.get_by_label("Reason").fill("Lost a week of work by our fault")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Your limit for one act is 100 credits.").wait_for(state="visible")
    assert sam.serious_faults() == []
    page.get_by_role("button", name="Request approval").click()
    page.get_by_text("waits for a second person. Nothing has changed yet.").wait_for(state="visible")
    waiting = page.get_by_role("region", name="Waits for a second person")
    assert "Gift credits: 400 credits" in waiting.inner_text()

    # The second person finds it by the count beside the sidebar's line, sees the effect, and allows it.
    page = bea.page
    page.goto("/admin/")
    page.get_by_title("What waits").filter(has_text="waiting in Approvals").click()
    page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    assert re.search(r"Balance: 40\s*→\s*440", page.inner_text("main"))
    assert bea.serious_faults() == []
    page.get_by_role("link", name="Approve").click()
    page.get_by_label("A word on it").fill("Agreed")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved and done. 400 credits added").wait_for(state="visible")

    # Banned, with a reason, and let in again by the button beside the message.
    page = sam.page
    page.goto(customer_page)
    assert re.search(r"Available\s+440\b", page.locator(".figure-card", has_text="Available").inner_text())
    page.get_by_role("link", name="Ban", exact=True).click()
    page.get_by_label("Reason").select_option("Payment fraud")
    page.get_by_label("For", exact=True).select_option("7 days")
    page.get_by_role("button", name="Continue").click()
    assert sam.serious_faults() == []
    page.get_by_role("button", name="Ban customer").click()
    page.get_by_role("button", name="Undo").click()
    page.locator(".customer-mail .badge", has_text="Active").wait_for(state="visible")
    took = time.monotonic() - began

    # The audit log tells it in order.
    told = stack.manage(
        "shell",
        "--no-imports",
        "-c",
        "import json; from accounts.models import User; from audit.models import AuditEntry;"
        " user = User.objects.get(external_id='u_quist');"
        " print(json.dumps([(e.action, e.actor_label, e.reason) for e in"
        " AuditEntry.objects.filter(resource_type='accounts.user', resource_id=str(user.pk)).order_by('at', 'id')]))",
    )
    told = json.loads(told.splitlines()[-1])
    assert [(action, actor) for action, actor, _ in told] == [
        ("jobs.request_approval", "sam.support@example.com"),
        ("credits.gift", "sam.support@example.com"),
        ("jobs.approve", "bea.billing@example.com"),
        ("accounts.ban_user", "sam.support@example.com"),
        ("accounts.unban_user", "sam.support@example.com"),
    ]
    assert [reason for _, _, reason in told][:4] == [
        "Lost a week of work by our fault",
        "Lost a week of work by our fault",
        "Agreed",
        "Payment fraud",
    ]
    assert stack.manage("verify_ledger").startswith("ok")
    assert stack.manage("verify_audit").startswith("ok")
    sys.stdout.write(f"From the search to the undone ban: {took:.1f} s\n")
