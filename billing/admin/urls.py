"""The addresses of billing below /admin/billing/reconciliation/."""

from django.contrib import admin
from django.urls import path

from billing.admin import fixes
from billing.admin.reconciliation import ReconciliationView

guarded = admin.site.admin_view

urlpatterns = [
    path("", guarded(ReconciliationView.as_view()), name="billing-reconciliation"),
    path("events/<int:event_id>/assign/", guarded(fixes.AssignView.as_view()), name="billing-assign"),
    path("events/<int:event_id>/link/", guarded(fixes.LinkView.as_view()), name="billing-link"),
    path("events/<int:event_id>/settle/", guarded(fixes.SettleEventView.as_view()), name="billing-settle-event"),
    path("payments/<int:payment_id>/settle/", guarded(fixes.SettlePaymentView.as_view()), name="billing-settle"),
    path("purchases/<int:purchase_id>/take-back/", guarded(fixes.TakeBackView.as_view()), name="billing-take-back"),
]
