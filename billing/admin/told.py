"""What the events of a payment tell, in words for whoever has to find out whose it is."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from billing.errors import Parked
from billing.facts import Story, shown


def what_was_paid(story: Story) -> SafeString:
    """How much and by whom, as far as it is told."""
    try:
        amount = display.money(*story.amount) if story.is_paid else display.absent("Not told")
        payer = _payer(story)
    except Parked as contradiction:
        return format_html("{}", str(contradiction))
    return format_html("{} of {}", amount, shown(payer) if payer else "somebody who is not named")


def _payer(story: Story) -> str:
    """The product's user, an email, or Stripe's customer. Raises Parked if several are named."""
    return story.reference or ", ".join(sorted(story.emails)) or story.stripe_customer_id or ""
