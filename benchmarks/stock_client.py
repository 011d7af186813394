"""A client that looks at the same customers in the stock admin: the same columns by subqueries, pages by number.

Runs in a client process, with the stock templates and an admin site that has this one page.
"""

import random
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from accounts.models import Customer
from benchmarks import visits
from billing.models import Payment
from credits.models import CreditAccount, CreditTransaction

LIST = "/admin/accounts/customer/"
SPEND_COLUMN = 4


class StockCustomerAdmin(admin.ModelAdmin):
    list_display = ("email", "credits", "plan", "generations", "spend", "date_joined", "last_active_at", "status")
    list_filter = ("plan", "status", "country")
    search_fields = ("email", "full_name", "external_id", "stripe_customer_id")
    ordering = ("-date_joined",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        # By joins, each row would count once for each payment and entry.
        used = CreditTransaction.objects.filter(account=OuterRef("pk"), kind="usage").order_by().values("account")
        paid = Payment.objects.filter(user=OuterRef("pk"), status="succeeded").order_by().values("user")
        return Customer.objects.annotate(
            credits=Subquery(CreditAccount.objects.filter(pk=OuterRef("pk")).values("balance")),
            generations=Coalesce(Subquery(used.annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField()),
            spend=Coalesce(Subquery(paid.annotate(n=Sum("amount_minor")).values("n")), 0, output_field=IntegerField()),
        )

    @admin.display(ordering="credits")
    def credits(self, customer: Any) -> Any:
        return customer.credits

    @admin.display(ordering="generations")
    def generations(self, customer: Any) -> Any:
        return customer.generations

    @admin.display(ordering="spend")
    def spend(self, customer: Any) -> Any:
        return customer.spend


site = admin.AdminSite()
site.register(Customer, StockCustomerAdmin)
urlpatterns = [path("admin/", site.urls)]

KINDS = {
    "first page": "",
    "sorted by spend": f"?o=-{SPEND_COLUMN + 1}",
    "page 1,000": "?p={page}",
    "search: given name": "?q={name}",
}


def kinds() -> list[str]:
    """What ``looks`` knows."""
    return list(KINDS)


def looks(kind: str, number: int, seed: int) -> list[float]:
    """Milliseconds of each of ``number`` looks at the list."""
    rng = random.Random(seed)
    addresses = [KINDS[kind].format(name=rng.choice(_names()), page=_page()) for _ in range(number)]
    return visits.times(_client(), [LIST + address for address in addresses])


@cache
def _client() -> Client:
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES[0]["DIRS"] = []
    return visits.visitor()


@cache
def _page() -> int:
    """Page 1,000, or the last one of fewer."""
    return min(1000, Customer.objects.count() // StockCustomerAdmin.list_per_page)


@cache
def _names() -> list[str]:
    chosen = random.Random(1).sample(range(1, 1000), k=50)
    people = Customer.objects.filter(pk__in=chosen).values_list(F("full_name"), flat=True)
    return [name.split()[0] for name in people]


COMMANDS = {"kinds": kinds, "looks": looks}
