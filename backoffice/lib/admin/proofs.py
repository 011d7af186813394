"""Pages of proofs: what runs by the clock to show that nothing was tampered with, and a button that asks for it now."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from celery import Task
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

# A night may be missed by a few hours; two may not.
PROOF_LASTS = timedelta(hours=36)


class Proof(Protocol):
    """One run: when it began and ended."""

    started_at: datetime
    finished_at: datetime


def is_too_old(proof: Proof) -> bool:
    """Whether a proof was so long ago that it says nothing of now."""
    return clock.now() - proof.started_at > PROOF_LASTS


def findings_table(heads: Sequence[str], rows: Iterable[tuple[Any, ...]], total: int) -> str:
    """The first broken rows: the rule, under it what was found, then where. Nothing when there are none."""
    rows = list(rows)
    if not rows:
        return ""
    body = format_html_join(
        "",
        '<tr><td>{}<span class="secondary">{}</span></td>{}</tr>',
        (
            (rule, detail, format_html_join("", '<td class="numeric">{}</td>', ((cell,) for cell in cells)))
            for rule, detail, *cells in rows
        ),
    )
    head = format_html_join("", '<th scope="col">{}</th>', ((label,) for label in heads))
    more = f"The first {len(rows)} of {total:,}." if total > len(rows) else ""
    return format_html('<table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}', head, body, more)


class ProofAdmin(EvidenceAdmin):
    """``check_task`` is given the id of who asks and the moment; ``check_permission`` is ``app.codename``."""

    check_permission: ClassVar[str]
    check_task: ClassVar["Task[Any, Any]"]
    asked_message: ClassVar[str]
    list_filter = ()
    ordering = ("-started_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    change_list_template = "admin/proof_change_list.html"

    def is_sound(self, proof: Any) -> bool:
        """Whether the run found nothing."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(require_POST(self.check_now))
        return [path("check/", check, name=self._name("check")), *super().get_urls()]

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Have a worker prove it, in the name of who asked."""
        if not request.user.has_perm(self.check_permission):
            raise PermissionDenied
        with transaction.atomic():
            nudge(self.check_task, request.user.pk or 0, clock.now().isoformat())
        messages.info(request, self.asked_message)
        return redirect(f"admin:{self._name('changelist')}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_check = request.user.has_perm(self.check_permission)
        extra = {"check_url": reverse(f"admin:{self._name('check')}") if may_check else ""}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    @admin.display(description="Started", ordering="started_at")
    def when(self, proof: Proof) -> str:
        return display.moment(proof.started_at)

    @admin.display(description="Outcome")
    def outcome(self, proof: Proof) -> str:
        return display.badge("Sound", "ok") if self.is_sound(proof) else display.badge("Broken", "bad")

    @admin.display(description="Took")
    def took(self, proof: Proof) -> str:
        return f"{(proof.finished_at - proof.started_at).total_seconds():,.1f} s"
