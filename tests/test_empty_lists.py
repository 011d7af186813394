"""A list without rows says whether there is nothing yet, and how that changes, or whether nothing fits."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Customer, FiguresProof, Role
from audit.models import AuditEntry
from billing.models import CreditPack, Dispute, ExchangeRate, Invoice, Payment, Plan, Refund, StripeEvent
from credits.models import CreditDebt, CreditHold, CreditLot, CreditTransaction, IntegrityRun
from jobs.models import OutboxMessage
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

EMPTY_AT_FIRST = [
    Customer,
    Role,
    AuditEntry,
    Payment,
    Refund,
    Dispute,
    StripeEvent,
    CreditPack,
    Plan,
    ExchangeRate,
    Invoice,
    CreditTransaction,
    CreditLot,
    CreditHold,
]
EMPTY_AT_FIRST += [CreditDebt, IntegrityRun, FiguresProof, OutboxMessage]


def address(model):
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")


def page(client, url):
    client.force_login(StaffFactory(is_superuser=True))
    return " ".join(client.get(url).content.decode().split())


@pytest.mark.parametrize("model", EMPTY_AT_FIRST)
def test_an_empty_list_says_what_will_be_there_and_the_next_step(client, model):
    if model is Role:
        Role.objects.all().delete()
    hint = admin.site.get_model_admin(model).empty_hint
    # Two halves: what the list holds, and what to do.
    assert len(hint.removesuffix(".").split(". ")) > 1
    html = page(client, address(model))
    assert f"No {model._meta.verbose_name_plural} yet</h2>" in html
    assert f"<p>{hint}</p>" in html


@pytest.mark.parametrize("narrowed", ["?q=nobody@example.com", "?figures__joined_from=2999-01-01"])
def test_a_list_that_is_narrowed_to_nothing_says_so_and_leads_back(client, narrowed):
    CustomerFactory()
    html = page(client, address(Customer) + narrowed)
    assert "No customers match</h2>" in html
    assert 'href="?">Clear all</a>' in html
    assert admin.site.get_model_admin(Customer).empty_hint not in html
