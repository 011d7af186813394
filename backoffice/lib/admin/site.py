"""The admin site: our sidebar and home page in the place of the stock list of apps."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path

from backoffice.lib.admin import navigation
from backoffice.lib.admin.home import news_for
from backoffice.lib.admin.jump import jump
from backoffice.lib.background import is_background

NOTHING_DONE = "What you sent was not done, since you were logged out by then. Log in and send it again."


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class BackofficeSite(AdminSite):
    site_title = "Back office"
    site_header = "Back office"
    index_title = "Home"
    site_url = None
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Bulk acts go through services that show their effect first and are audited.
        self.disable_action("delete_selected")

    def get_urls(self) -> list[Any]:
        return [path("jump/", self.admin_view(jump), name="jump"), *super().get_urls()]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """As the stock one; whoever sends a form after their session ended is told that nothing came of it."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not is_background(request) and not self.has_permission(request):
                messages.warning(request, NOTHING_DONE, fail_silently=True)
            return guarded(request, *args, **kwargs)

        return cast("View", told)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        sections = navigation.sidebar(request)
        return {
            **super().each_context(request),
            "sidebar": sections,
            "current_item": navigation.current_item(sections),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What is broken, what waits for someone, and a card for each section of the sidebar."""
        request.current_app = self.name
        shared = self.each_context(request)
        told = [item for section in shared["sidebar"] for item in section.items if item.badge]
        context = {
            **shared,
            "title": self.index_title,
            "alarms": [item for item in told if item.alarm],
            "waiting": [item for item in told if not item.alarm],
            "news": news_for(request.user),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/index.html", context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Never the stock form, which asks for a password alone: there is one way in, and it stands before this."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Pages are grouped by task, not by app."""
        return redirect("admin:index", permanent=False)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Nothing: the sidebar is built from the registry."""
        return []

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Nothing: the audit log is the history."""
        return LogEntry.objects.none()
