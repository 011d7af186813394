"""Every address of the back office, app by app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from backoffice import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/profiles", RedirectView.as_view(pattern_name="admin:accounts_customer_changelist")),
    path("admin/", include("accounts.login.urls")),
    path("admin/lists/", include("accounts.urls")),
    path("admin/billing/reconciliation/", include("billing.admin.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("backoffice.api")),
    path("webhooks/stripe/", include("billing.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("csp-reports/", views.browser_report, name="csp-reports"),
    path("script-errors/", views.browser_report, name="script-errors"),
]
