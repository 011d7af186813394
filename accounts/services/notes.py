"""Notes on customers, and their tags. The log tells who wrote and when, never what: notes are about persons."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.errors import NoteRefused, NotYourNote, UnknownNote, UnknownTag
from accounts.models import Customer, CustomerTag, StaffNote, Tag, User
from accounts.services.living import living_customer
from audit.actions import Action
from audit.services import WITHHELD, Resource, record
from backoffice.lib.texts import NUL

NOTE_LENGTH = StaffNote._meta.get_field("text").max_length or 0
DELETE_ANY = "accounts.delete_any_note"


@transaction.atomic
def add_note(*, user_id: int, text: str, actor: User, is_pinned: bool = False) -> StaffNote:
    """Write a note on a customer. Raises UnknownCustomer, CustomerRetired, NoteRefused."""
    text = _checked(text)
    customer = living_customer(user_id)
    note = StaffNote.objects.create(user_id=customer.pk, author=actor, text=text, is_pinned=is_pinned)
    _record(Action.NOTE_ADDED, note, actor, new={"text": WITHHELD, "is_pinned": is_pinned})
    return note


@transaction.atomic
def change_note(*, note_id: int, text: str, is_pinned: bool, actor: User) -> StaffNote:
    """Rewrite one's own note. Raises UnknownNote, NotYourNote, NoteRefused."""
    text = _checked(text)
    note = _locked(note_id)
    if note.author_id != actor.pk:
        raise NotYourNote
    old = {"text": WITHHELD, "is_pinned": note.is_pinned}
    if (note.text, note.is_pinned) == (text, is_pinned):
        return note
    note.text, note.is_pinned = text, is_pinned
    note.save(update_fields=["text", "is_pinned", "updated_at"])
    _record(Action.NOTE_CHANGED, note, actor, old=old, new={"text": WITHHELD, "is_pinned": is_pinned})
    return note


@transaction.atomic
def delete_note(*, note_id: int, actor: User) -> None:
    """Take one's own note away, or with ``accounts.delete_any_note`` another's. Raises UnknownNote, NotYourNote."""
    note = _locked(note_id)
    if note.author_id != actor.pk and not actor.has_perm(DELETE_ANY):
        raise NotYourNote
    old = {"text": WITHHELD, "is_pinned": note.is_pinned, "author": note.author_id}
    StaffNote.objects.filter(pk=note.pk).delete()
    _record(Action.NOTE_DELETED, note, actor, old=old)


@transaction.atomic
def tag_customer(*, user_id: int, tag_id: int, actor: User) -> bool:
    """Put a tag on a customer; False when it is on them already.

    Raises UnknownCustomer, CustomerRetired, UnknownTag.
    """
    customer, tag = living_customer(user_id), _tag(tag_id)
    _, is_new = CustomerTag.objects.get_or_create(user_id=customer.pk, tag=tag, defaults={"added_by": actor})
    if is_new:
        _record_tag(Action.CUSTOMER_TAGGED, customer, new=tag.name, actor=actor)
    return is_new


@transaction.atomic
def untag_customer(*, user_id: int, tag_id: int, actor: User) -> bool:
    """Take a tag off a customer; False when it is not on them. Raises as ``tag_customer``."""
    customer, tag = living_customer(user_id), _tag(tag_id)
    gone, _ = CustomerTag.objects.filter(user_id=customer.pk, tag=tag).delete()
    if gone:
        _record_tag(Action.CUSTOMER_UNTAGGED, customer, old=tag.name, actor=actor)
    return bool(gone)


@transaction.atomic
def delete_tag(*, tag_id: int, actor: User, reason: str) -> int:
    """Take a tag off everybody and out of the catalogue; how many customers bore it. Raises UnknownTag."""
    tag = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if tag is None:
        raise UnknownTag(tag_id)
    resource = Resource.of(tag)
    # One statement: Django would fetch each row that a tag's deletion takes along.
    bearers = CustomerTag.objects.filter(tag_id=tag.pk)._raw_delete("default")
    Tag.objects.filter(pk=tag.pk)._raw_delete("default")
    old = {"name": tag.name, "colour": tag.colour, "customers": bearers}
    record(action=Action.RECORD_DELETED, actor=actor, resource=resource, old_values=old, reason=reason)
    return int(bearers)


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise NoteRefused("A note needs some words.")
    if len(text) > NOTE_LENGTH or NUL in text:
        raise NoteRefused(f"A note has at most {NOTE_LENGTH:,} characters, and no NUL.")
    return text


def _locked(note_id: int) -> StaffNote:
    note = StaffNote.objects.select_for_update(no_key=True).filter(pk=note_id).first()
    if note is None:
        raise UnknownNote(note_id)
    return note


def _tag(tag_id: int) -> Tag:
    # Held so that it is not deleted from under the row that names it.
    tag = Tag.objects.select_for_update(of=("self",), no_key=True).filter(pk=tag_id).first()
    if tag is None:
        raise UnknownTag(tag_id)
    return tag


def _record(
    action: Action,
    note: StaffNote,
    actor: User,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    record(
        action=action,
        actor=actor,
        resource=Resource("accounts.user", str(note.user_id), f"user {note.user_id}"),
        old_values={"note": note.pk, **old} if old else None,
        new_values={"note": note.pk, **new} if new else None,
    )


def _record_tag(action: Action, customer: Customer, *, old: str = "", new: str = "", actor: User) -> None:
    record(
        action=action,
        actor=actor,
        resource=Resource.of(customer),
        old_values={"tag": old} if old else None,
        new_values={"tag": new} if new else None,
    )
