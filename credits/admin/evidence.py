"""What the read-only lists of the ledger share: whoever may see the ledger may see what it is made of."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.lib.admin.base import EvidenceAdmin
from credits import selectors
from credits.admin.links import SEE_LEDGER


class LedgerEvidenceAdmin(EvidenceAdmin):
    """A list of rows on accounts, newest first. ``exact_reference`` is the path that the search compares."""

    ordering = ("-created_at",)
    link_lookups = ("account__exact",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    exact_reference: ClassVar[str] = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(SEE_LEDGER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return selectors.search(queryset, search_term, reference=self.exact_reference), False
