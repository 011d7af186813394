"""What tests of reconciliation do over and over."""

import uuid
from decimal import Decimal

from django.urls import reverse

from audit.models import AuditEntry
from billing.models import Payment
from billing.tests.flow import bought, deliver, text_of
from billing.tests.stripe_bodies import (
    intent_succeeded,
)
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from credits.services import post

PAGE = "/admin/billing/reconciliation/"
PERMISSIONS = ["billing.view_payment", "billing.reconcile", "billing.replay_stripeevent"]


def words_of(response):
    return " ".join(text_of(response).replace("\xa0", " ").split())


def filled(**more):
    return {"reason": "Seen in Stripe", "token": str(uuid.uuid4()), **more}


def fix(name, number):
    return reverse(f"billing-{name}", args=[number])


def paid(**more):
    """A payment of ten dollars for 100 credits, booked."""
    intent = bought()
    deliver(intent_succeeded(intent))
    payment = Payment.objects.get(stripe_payment_id=intent["id"])
    if more:
        Payment.objects.filter(pk=payment.pk).update(**more)
    return Payment.objects.get(pk=payment.pk)


def unpaid_purchase(customer, *, credits=100, key="stripe:payment_intent:pi_gone"):
    result = post(
        Posting(
            user_id=customer.pk,
            kind=TransactionKind.PURCHASE,
            amount=Decimal(credits),
            idempotency_key=key,
            reference="pi_gone",
            paid_minor=1000,
            currency="USD",
        )
    )
    return CreditTransaction.objects.get(pk=result.transaction_id)


def entries():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "reason"))
