"""What members of staff choose for their lists. What is shared with others is audited; what is one's own is not."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.errors import FilterNameTaken, MayNotShare, TooManyFilters, UnknownFilter
from accounts.models import ListPreference, SavedFilter, User
from accounts.selectors.preferences import SHARE, can_change
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib import clock

MOST_FILTERS = 50
NAME_IS_TAKEN = "saved_filter_name_once"


def choose_columns(*, actor: User, list_key: str, columns: Sequence[str] | None) -> None:
    """Show ``actor`` these columns of a list, or those that everybody sees when it is None."""
    _prefer(actor, list_key, columns=columns if columns is None else list(columns))


def choose_first_filter(*, actor: User, list_key: str, filter_id: int | None) -> None:
    """Open a list with a saved filter, or whole. Raises UnknownFilter for one that ``actor`` cannot use."""
    if filter_id is not None:
        visible = SavedFilter.objects.filter(Q(owner=actor) | Q(is_shared=True), list_key=list_key, pk=filter_id)
        if not visible.exists():
            raise UnknownFilter
    _prefer(actor, list_key, first_filter_id=filter_id)


@transaction.atomic
def save_filter(*, actor: User, list_key: str, name: str, query: str, is_shared: bool) -> SavedFilter:
    """Keep what narrows and orders a list under ``name``; ``query`` is that of its address, in canonical form.

    Raises FilterNameTaken, TooManyFilters, and MayNotShare.
    """
    _check_sharing(actor, is_shared)
    # The lock keeps two windows of one person from going past the limit together.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if SavedFilter.objects.filter(owner=actor, list_key=list_key).count() >= MOST_FILTERS:
        raise TooManyFilters(MOST_FILTERS)
    saved = SavedFilter(owner=actor, list_key=list_key, name=name, query=query, is_shared=is_shared)
    _save(saved)
    if is_shared:
        record(action=Action.FILTER_SHARED, actor=actor, resource=Resource.of(saved), new_values=_facts(saved))
    return saved


@transaction.atomic
def change_filter(*, actor: User, list_key: str, filter_id: int, name: str, is_shared: bool) -> SavedFilter:
    """Rename a saved filter, share it or cease to. Raises UnknownFilter, FilterNameTaken and MayNotShare."""
    saved = _changeable(actor, list_key, filter_id)
    before = _facts(saved)
    if is_shared != saved.is_shared:
        _check_sharing(actor, is_shared)
    saved.name, saved.is_shared, saved.updated_at = name, is_shared, clock.now()
    _save(saved)
    if before["shared"] or is_shared:
        record(
            action=Action.FILTER_CHANGED,
            actor=actor,
            resource=Resource.of(saved),
            old_values=before,
            new_values=_facts(saved),
        )
    return saved


@transaction.atomic
def delete_filter(*, actor: User, list_key: str, filter_id: int) -> str:
    """Delete a saved filter; who opened the list with it sees all of it. Returns its name. Raises UnknownFilter."""
    saved = _changeable(actor, list_key, filter_id)
    resource = Resource.of(saved)
    saved.delete()
    if saved.is_shared:
        record(action=Action.FILTER_DELETED, actor=actor, resource=resource, old_values=_facts(saved))
    return saved.name


def _prefer(actor: User, list_key: str, **chosen: object) -> None:
    ListPreference.objects.bulk_create(
        [ListPreference(staff=actor, list_key=list_key, **chosen)],
        update_conflicts=True,
        unique_fields=["staff", "list_key"],
        update_fields=list(chosen),
    )


def _check_sharing(actor: User, is_shared: bool) -> None:
    if is_shared and not actor.has_perm(SHARE):
        raise MayNotShare


def _changeable(actor: User, list_key: str, filter_id: int) -> SavedFilter:
    saved = SavedFilter.objects.select_for_update(no_key=True).filter(pk=filter_id, list_key=list_key).first()
    if saved is None or not can_change(saved, actor):
        raise UnknownFilter
    return saved


def _save(saved: SavedFilter) -> None:
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != NAME_IS_TAKEN:
            raise
        raise FilterNameTaken(saved.name) from error


def _facts(saved: SavedFilter) -> dict[str, object]:
    # Neither the name nor what is searched for: people are searched for by name and address.
    return {"list": saved.list_key, "shared": saved.is_shared, "owner": saved.owner_id}
