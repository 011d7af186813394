"""Reads of notes and tags."""

from collections.abc import Sequence

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef, QuerySet

from accounts.models import Customer, CustomerTag, StaffNote, Tag

SHOWN_NOTES = 50
# A tag on fewer customers is looked up first, one on more is asked for along the list.
FEW_BEARERS = 2_000
COUNTED_BEARERS = 1_001


def notes_on(*, user_id: int) -> Sequence[StaffNote]:
    """The notes on a customer, pinned ones first, then newest first, with their authors; at most 50."""
    notes = StaffNote.objects.filter(user_id=user_id).select_related("author")
    return list(notes.order_by("-is_pinned", "-pk")[:SHOWN_NOTES])


def tags_of(*, user_id: int) -> Sequence[Tag]:
    """The tags on a customer, by name."""
    return list(Tag.objects.filter(tagged__user_id=user_id).order_by("name"))


def all_tags() -> QuerySet[Tag]:
    """The catalogue, by name."""
    return Tag.objects.order_by("name", "pk")


def tag_list() -> QuerySet[Tag]:
    """The catalogue with ``bearers``: on how many customers each tag is, counted up to 1,001."""
    bearers = CustomerTag.objects.filter(tag_id=OuterRef("pk")).order_by().values("user_id")[:COUNTED_BEARERS]
    counted = Func(ArraySubquery(bearers), function="cardinality", output_field=IntegerField())
    return Tag.objects.annotate(bearers=counted)


def with_tag(customers: QuerySet[Customer], tag_id: int) -> QuerySet[Customer]:
    """Those customers who bear a tag.

    Of a few the ids are fetched, so that no list is walked in search of them; many are met soon along any order.
    """
    bearers = CustomerTag.objects.filter(tag_id=tag_id).order_by("user_id")
    few = list(bearers.values_list("user_id", flat=True)[: FEW_BEARERS + 1])
    if len(few) <= FEW_BEARERS:
        return customers.filter(pk__in=few)
    return customers.filter(Exists(CustomerTag.objects.filter(tag_id=tag_id, user_id=OuterRef("pk"))))
