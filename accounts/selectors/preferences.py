"""Reads of what lists remember of their readers."""

from typing import Any

from django.db.models import Q

from accounts.models import ListPreference, SavedFilter
from backoffice.lib.admin.memory import Remembered, RememberedFilter

SHARE = "accounts.share_savedfilter"


def remembered(staff: Any, list_key: str) -> Remembered:
    """What a member of staff chose for a list, and the filters that they can use there; two queries."""
    preference = ListPreference.objects.filter(staff=staff, list_key=list_key).first()
    visible = SavedFilter.objects.filter(Q(owner=staff) | Q(is_shared=True), list_key=list_key)
    filters = [
        RememberedFilter(
            pk=saved.pk,
            name=saved.name,
            query=saved.query,
            is_shared=saved.is_shared,
            is_own=saved.owner_id == staff.pk,
            can_change=can_change(saved, staff),
        )
        for saved in visible.order_by("name", "pk")
    ]
    first = preference.first_filter_id if preference else None
    return Remembered(
        columns=preference.columns if preference else None,
        filters=filters,
        # One that is shared no more is not there any more.
        first_filter=next((saved for saved in filters if saved.pk == first), None),
    )


def can_change(saved: SavedFilter, staff: Any) -> bool:
    """One's own, and a shared one if one may share: its owner may be gone."""
    return saved.owner_id == staff.pk or (saved.is_shared and staff.has_perm(SHARE))
