"""How a customer can pay, asked of Stripe when somebody wants to know: cards are kept there and not here."""

from collections.abc import Sequence

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from accounts.models import Customer
from backoffice.lib import clock
from backoffice.lib.admin.navigation import set_current
from billing import stripe_api
from billing.admin import links
from billing.errors import StripeCallFailed, StripeNotConfigured
from billing.readings.methods import MethodTold, read_method

PERMISSION = "billing.read_paymentmethods"
UNLINKED = "Nothing says yet which customer of Stripe's this is. The first payment or subscription will."


def address_of(customer: Customer) -> str:
    """The page of a customer's payment methods."""
    return reverse("admin:billing_payment_methods", args=[customer.pk])


class PaymentMethodsView(View):
    """What Stripe answers at this moment; nothing of it is kept."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        if not (request.user.has_perm(PERMISSION) and request.user.has_perm("accounts.view_customer")):
            raise PermissionDenied
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise Http404("There is no such customer.")
        methods, problem = _asked(customer.stripe_customer_id or "")
        set_current(request, "customers")
        context = {
            **admin.site.each_context(request),
            "title": "Payment methods",
            "customer": customer,
            "methods": [(method, _is_over(method)) for method in methods],
            "problem": problem,
            "at_stripe": links.to_stripe("customers", customer.stripe_customer_id or ""),
        }
        return TemplateResponse(request, "billing/payment_methods.html", context)


def _asked(stripe_customer_id: str) -> tuple[Sequence[MethodTold], str]:
    """The methods, or why there is no answer."""
    if not stripe_customer_id:
        return [], UNLINKED
    try:
        return [read_method(method) for method in stripe_api.payment_methods_of(stripe_customer_id)], ""
    except (StripeCallFailed, StripeNotConfigured) as error:
        return [], str(error)


def _is_over(method: MethodTold) -> bool:
    today = clock.now()
    return method.expires is not None and method.expires < (today.year, today.month)
