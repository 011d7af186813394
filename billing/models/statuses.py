"""The states that Stripe's objects go through, and which of them are final."""

from django.db import models


class PaymentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"
    REFUNDED = "refunded", "Refunded"
    PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"
    DISPUTED = "disputed", "Disputed"


# Money came in, whatever became of it afterwards.
PAID = (
    PaymentStatus.SUCCEEDED,
    PaymentStatus.REFUNDED,
    PaymentStatus.PARTIALLY_REFUNDED,
    PaymentStatus.DISPUTED,
)


class RefundStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    REQUIRES_ACTION = "requires_action", "Requires action"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


# The money is on its way back, or back. Of the others it stayed, or came to us again.
GOING_BACK = (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED)


class CreditPolicy(models.TextChoices):
    CLAW_BACK = "claw_back", "Take the credits back in proportion"
    LEAVE = "leave", "Leave the credits"


class DisputeStatus(models.TextChoices):
    WARNING_NEEDS_RESPONSE = "warning_needs_response", "Inquiry: needs response"
    WARNING_UNDER_REVIEW = "warning_under_review", "Inquiry: under review"
    WARNING_CLOSED = "warning_closed", "Inquiry: closed"
    NEEDS_RESPONSE = "needs_response", "Needs response"
    UNDER_REVIEW = "under_review", "Under review"
    PREVENTED = "prevented", "Prevented"
    WON = "won", "Won"
    LOST = "lost", "Lost"


# The bank has taken the money. An inquiry takes none.
MONEY_TAKEN = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST)
DISPUTE_OVER = (DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED, DisputeStatus.WON, DisputeStatus.LOST)
DISPUTE_NEEDS_US = (DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.NEEDS_RESPONSE)


class SubscriptionStatus(models.TextChoices):
    INCOMPLETE = "incomplete", "Incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired", "Expired before it began"
    TRIALING = "trialing", "Trial"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Past due"
    UNPAID = "unpaid", "Unpaid"
    PAUSED = "paused", "Paused"
    CANCELED = "canceled", "Canceled"


SUBSCRIPTION_OVER = (SubscriptionStatus.INCOMPLETE_EXPIRED, SubscriptionStatus.CANCELED)
# Only these are recurring revenue.
EARNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)


class Interval(models.TextChoices):
    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"
    YEAR = "year", "Year"


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    PAID = "paid", "Paid"
    UNCOLLECTIBLE = "uncollectible", "Uncollectible"
    VOID = "void", "Void"


# From these an invoice does not come back; one that was written off may still be paid.
INVOICE_OVER = (InvoiceStatus.PAID, InvoiceStatus.VOID)
