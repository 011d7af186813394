"""Half of a payment is given back in the running product, at a real browser, while Stripe tells of it as well."""

import re
import time

import pytest

from billing.tests import stripe_bodies
from tests.e2e.test_story import deliver, until_balance_is

pytestmark = pytest.mark.browser

NEW_CUSTOMER = (
    "from accounts.models import User;"
    " print(User.objects.create_user('refunded@example.com', external_id='u_refunded', full_name='Mary').pk)"
)
# How many events of refunds came to rest, and how often credits were taken.
OUTCOME = (
    "from billing.models import StripeEvent; from credits.models import CreditTransaction;"
    " print(StripeEvent.objects.filter(type='refund.created', state='processed').count(),"
    " CreditTransaction.objects.filter(kind='reversal', customer__external_id='u_refunded').count())"
)


def test_half_of_a_payment_goes_back_once(stack, staff, _stripe_server):
    customer_id = stack.manage("shell", "--no-imports", "-c", NEW_CUSTOMER).strip()
    paid = _stripe_server.payment(_stripe_server.customer())
    intent = stripe_bodies.payment_intent(id=paid["id"], metadata={"user_id": "u_refunded", "credits": "100"})
    assert deliver(stack, stripe_bodies.encoded(stripe_bodies.intent_succeeded(intent))) == 200

    page = staff.page
    page.goto(f"/admin/accounts/customer/{customer_id}/change/")
    until_balance_is(page, "100")
    page.get_by_role("region", name="Payments").get_by_role("link", name="Refund").click()
    page.get_by_label("Amount in USD").fill("5.00")
    page.get_by_label("Reason").fill("Charged twice")
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Is this right?").wait_for(state="visible")
    effect = page.locator(".effect").inner_text()
    assert re.search(r"Left of the payment\s+now\s*\$10.00\s+then\s*\$5.00", effect)
    assert re.search(r"Balance\s+now\s*100\s+then\s*50", effect)
    assert _stripe_server.refunds(paid["id"]) == []
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Refund").click()
    page.get_by_text("$5.00 given back.").wait_for(state="visible")
    assert staff.serious_faults() == []

    [refund] = _stripe_server.refunds(paid["id"])
    for _ in range(2):
        told = stripe_bodies.event("refund.created", refund)
        assert deliver(stack, stripe_bodies.encoded(told)) == 200
    assert outcome_of(stack) == "2 1"
    page.goto(f"/admin/accounts/customer/{customer_id}/change/")
    until_balance_is(page, "50")


def outcome_of(stack):
    """What became of the two events, once workers have seen to them."""
    deadline = time.monotonic() + 30
    while not (said := stack.manage("shell", "--no-imports", "-c", OUTCOME).strip()).startswith("2"):
        assert time.monotonic() < deadline, said
    return said
