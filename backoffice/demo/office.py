"""The staff of the story, and what they give as reasons."""

from random import Random

from backoffice.demo.acts import Colleague

ADMIN = Colleague(email="admin@example.com", name="Ada Admin", referral_code="ADMN2222")
SUPPORT = Colleague(email="maya.lindqvist@example.com", name="Maya Lindqvist", referral_code="MAYA2222", role="Support")
SUPPORT_TOO = Colleague(email="samuel.okoro@example.com", name="Samuel Okoro", referral_code="SAMUE222", role="Support")
BILLING = Colleague(
    email="tomas.herrera@example.com", name="Tomás Herrera", referral_code="TQMAS222", role="Billing admin"
)
MODERATOR = Colleague(
    email="aiko.tanaka@example.com", name="Aiko Tanaka", referral_code="AKKQ2222", role="Content moderator"
)
OPERATOR = Colleague(email="lena.fischer@example.com", name="Lena Fischer", referral_code="ENAF2222", role="Operations")
ANALYST = Colleague(email="ravi.menon@example.com", name="Ravi Menon", referral_code="RAVK2222", role="Analyst")
STAFF = (SUPPORT, SUPPORT_TOO, BILLING, MODERATOR, OPERATOR, ANALYST)

GIFT_SIZES = {10: 30, 20: 30, 25: 20, 50: 15, 100: 5}
GIFT_REASONS = (
    "Videos failed for an hour yesterday; an apology",
    "Waited three days for our answer",
    "Reported a bug in the upscaler that we could reproduce",
    "Winner of the monthly gallery vote",
    "Won back after a cancellation",
    "Interview for the product team",
    "Charity project, agreed with marketing",
)
# By the product itself.
FAILURES = (
    "The provider timed out",
    "The model answered with an empty picture",
    "The safety filter stopped the result",
)
REFUND_REASONS = (
    "Hands with seven fingers, twice; the customer showed us",
    "The video froze after two seconds",
    "Upscaled the wrong picture by a bug of ours",
)
REVERSAL_REASONS = (
    "Gift booked on the wrong customer; taken back",
    "The vote was won by somebody else with the same name",
)
ADD_REASONS = (
    "A pack was paid by bank transfer; booked by hand",
    "Charged twice for one video by the product; the second charge returned",
    "Credits moved over from the customer's old account",
)
TAKE_REASONS = (
    "Gift booked on the wrong customer; taken back",
    "Promotion used twice through two sign-ups",
)
SUSPENSION_REASONS = (
    "Shared login: sessions from 14 countries in one day",
    "Card reported as stolen; waiting for the bank",
    "Scripted requests far above the fair use limit",
    "Repeatedly tried prompts that the rules forbid",
)
BAN_REASONS = (
    "Resold generated images as stock photos of real people",
    "One person with 40 sign-ups for the signup credits",
    "Forbidden content, twice after a warning",
)


def gift_size(rng: Random) -> int:
    """Credits, mostly a few."""
    return rng.choices(list(GIFT_SIZES), list(GIFT_SIZES.values()))[0]


def supporter(rng: Random) -> Colleague:
    return rng.choice((SUPPORT, SUPPORT_TOO))
