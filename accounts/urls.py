"""The addresses of accounts below /admin/lists/."""

from django.urls import path

from accounts.admin import preferences

urlpatterns = [
    path("<str:list_key>/columns/", preferences.columns, name="list-columns"),
    path("<str:list_key>/filters/", preferences.filters, name="list-filters"),
    path("<str:list_key>/filters/<int:filter_id>/", preferences.one_filter, name="list-filter"),
]
