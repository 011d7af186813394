"""The addresses of billing below /webhooks/stripe/."""

from django.urls import path

from billing.webhooks import stripe_webhook

urlpatterns = [
    path("", stripe_webhook, name="stripe-webhook"),
]
