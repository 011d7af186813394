"""Ctrl-K: one search over what the apps offer to jump to, as a dialog's part and as a page of its own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import resolve, reverse
from django.views.decorators.http import require_safe

from backoffice.lib import registry
from backoffice.lib.admin.resilience import attempt

LONGEST = 200
# What the dialog's script asks with: the results alone.
PART_HEADER = "X-Part"


@dataclass(frozen=True, kw_only=True)
class JumpGroup:
    """What one provider found; ``error`` names what went wrong in it."""

    key: str
    label: str
    hits: Sequence[registry.JumpHit]
    error: str


@require_safe
def jump(request: HttpRequest) -> HttpResponse:
    """The page without a script, and with the header X-Part what the dialog shows."""
    text = " ".join(request.GET.get("q", "").split())
    groups = list(_groups(request, text)) if len(text) <= LONGEST else []
    context = {"query": text, "groups": groups, "number": sum(len(group.hits) for group in groups)}
    if PART_HEADER in request.headers:
        return TemplateResponse(request, "admin/includes/jump_options.html", context)
    context |= {**admin.site.each_context(request), "title": "Jump to"}
    return TemplateResponse(request, "admin/jump.html", context)


def _groups(request: HttpRequest, text: str) -> Iterator[JumpGroup]:
    """What each provider found, without those that found nothing."""
    pages = list(_pages(request, text))
    if pages:
        yield JumpGroup(key="pages", label="Pages", hits=pages, error="")
    if not text:
        return
    for entry in registry.jump_providers:
        if request.user.has_perm(entry.permission):
            hits, error = attempt(f"jump to {entry.key}", partial(_find, entry, text))
            if hits or error:
                yield JumpGroup(key=entry.key, label=entry.label, hits=hits or [], error=error)


def _find(entry: registry.JumpProvider, text: str) -> list[registry.JumpHit]:
    return list(entry.find(text))


def _pages(request: HttpRequest, text: str) -> Iterator[registry.JumpHit]:
    """The sidebar's entries that the reader may see, and what can be added there, whose words begin with these."""
    for entry in sorted(registry.navigation, key=lambda entry: registry.SECTIONS.index(entry.section)):
        if not request.user.has_perm(entry.permission):
            continue
        address = reverse(entry.url_name)
        if _fits(text, (entry.label, entry.section)):
            yield registry.JumpHit(label=entry.label, detail=entry.section, url=address, icon=entry.icon)
        added = _what_can_be_added(request, address)
        if text and added and _fits(text, ("Add", "New", added)):
            yield registry.JumpHit(label=f"Add {added}", detail=entry.section, url=f"{address}add/", icon="plus")


def _what_can_be_added(request: HttpRequest, address: str) -> str:
    """What the list at ``address`` lets the reader add, in words; empty when nothing."""
    list_admin = getattr(resolve(address).func, "model_admin", None)
    if list_admin is None or not list_admin.has_add_permission(request):
        return ""
    return str(list_admin.opts.verbose_name)


def _fits(text: str, names: Iterable[str]) -> bool:
    """Whether each word of ``text`` begins one of ``names``."""
    known = [word for name in names for word in name.casefold().split()]
    return all(any(word.startswith(asked) for word in known) for asked in text.casefold().split())
