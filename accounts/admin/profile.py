"""The card of a customer's own data on their page."""

import re

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html

from accounts.models import Customer
from backoffice.lib.admin import display

STRIPE_ID = re.compile("cus_[A-Za-z0-9]+")


class ProfileCard:
    """Fields of the customer page: what staff may correct, and what comes from elsewhere, to copy."""

    readonly_fields = ("external_id_shown", "stripe", "referral", "character_count", "joined_at")
    fields = ("email", "full_name", "avatar", "country", "signup_source", *readonly_fields)
    personal_fields = frozenset({"email", "full_name", "avatar"})

    @admin.display(description="External id")
    def external_id_shown(self, customer: Customer) -> str:
        return display.copyable(customer.external_id or "")

    @admin.display(description="Stripe")
    def stripe(self, customer: Customer) -> str:
        known = customer.stripe_customer_id
        return format_html("{} {}", display.copyable(known), in_stripe(known)) if known else display.absent()

    @admin.display(description="Referral code")
    def referral(self, customer: Customer) -> str:
        return display.copyable(customer.referral_code)

    @admin.display(description="Joined")
    def joined_at(self, customer: Customer) -> str:
        return display.moment(customer.date_joined)


def in_stripe(customer_id: str) -> str:
    """A link to a customer in Stripe's dashboard; nothing for what is no id of Stripe's."""
    if not STRIPE_ID.fullmatch(customer_id):
        return ""
    mode = "" if settings.STRIPE_LIVEMODE else "test/"
    return format_html(
        '<a class="nowrap" href="https://dashboard.stripe.com/{}customers/{}" rel="noopener noreferrer">'
        "Open in Stripe{}</a>",
        mode,
        customer_id,
        display.icon("external"),
    )
