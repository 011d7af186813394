"""The proof of the ledger as staff read it, and the button that asks for a new one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.nudge import nudge
from credits import tasks
from credits.models import IntegrityRun

CHECK = "credits.verify_ledger"
ASKED = "A worker checks the ledger now. A large one takes minutes: the run appears here once it has ended."


@admin.register(IntegrityRun)
class IntegrityRunAdmin(EvidenceAdmin):
    list_display = ("when", "outcome", "faults_shown", "accounts_shown", "took", "source")
    list_filter = ()
    ordering = ("-started_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    fields = ("when", "outcome", "faults_shown", "accounts_shown", "took", "source", "found")
    change_list_template = "admin/credits/integrityrun/change_list.html"
    empty_hint = "Each night the whole ledger is proved, account by account. Press Check now for the first run."

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(require_POST(self.check_now))
        return [path("check/", check, name="credits_integrityrun_check"), *super().get_urls()]

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Have a worker prove the ledger, in the name of who asked."""
        if not request.user.has_perm(CHECK):
            raise PermissionDenied
        with transaction.atomic():
            nudge(tasks.verify_ledger_for, request.user.pk or 0, clock.now().isoformat())
        messages.info(request, ASKED)
        return redirect("admin:credits_integrityrun_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_check = request.user.has_perm(CHECK)
        extra = {"check_url": reverse("admin:credits_integrityrun_check") if may_check else ""}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description="Started", ordering="started_at")
    def when(self, run: IntegrityRun) -> str:
        return display.moment(run.started_at)

    @admin.display(description="Outcome")
    def outcome(self, run: IntegrityRun) -> str:
        return display.badge("Broken", "bad") if run.faults else display.badge("Sound", "ok")

    @admin.display(description="Broken rows")
    def faults_shown(self, run: IntegrityRun) -> str:
        return display.number(run.faults)

    @admin.display(description="Accounts")
    def accounts_shown(self, run: IntegrityRun) -> str:
        return display.number(run.accounts)

    @admin.display(description="Took")
    def took(self, run: IntegrityRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():,.1f} s"

    @admin.display(description="What was found")
    def found(self, run: IntegrityRun) -> str:
        rows = format_html_join(
            "",
            '<tr><td>{}<span class="secondary">{}</span></td><td>{}</td><td class="numeric">{}</td></tr>',
            ((row["rule"], row["detail"], _account(row["account"]), row["row"]) for row in run.findings),
        )
        if not rows:
            return "Every rule holds for every account."
        more = f"The first {len(run.findings)} of {run.faults:,}." if run.faults > len(run.findings) else ""
        head = '<thead><tr><th scope="col">Rule</th><th scope="col">Account</th><th scope="col">Row</th></tr></thead>'
        return format_html('<table class="table">{}<tbody>{}</tbody></table>{}', display.SafeString(head), rows, more)


def _account(user_id: int) -> str:
    return display.link(reverse("admin:accounts_customer_change", args=[user_id]), user_id)
