"""What the notes and tags on the customer page post to."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views import View

from accounts import selectors, services
from accounts.admin.filters import MOST_TAGS
from accounts.admin.status import page_of
from accounts.errors import AccountError
from accounts.models import Customer, StaffNote, Tag
from accounts.services.notes import NOTE_LENGTH


class NoteForm(forms.Form):
    text = forms.CharField(max_length=NOTE_LENGTH)
    is_pinned = forms.BooleanField(required=False)


class TagForm(forms.Form):
    tag = forms.ModelChoiceField(Tag.objects.all(), error_messages={"required": "Choose a tag."})


class PostView(View):
    """Takes a small form of the customer page and leads back to it, with a word on what was wrong."""

    http_method_names = ["post"]
    permission_required: ClassVar[str]
    form_class: ClassVar[type[forms.Form]] = forms.Form
    # Where on the page the reader was.
    anchor: ClassVar[str]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission_required):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, user_id: int, **kwargs: Any) -> HttpResponse:
        if not self.is_there(user_id, **kwargs):
            raise Http404
        form = self.form_class(request.POST)
        if not form.is_valid():
            self._complain(request, *(error for errors in form.errors.values() for error in errors))
        else:
            try:
                self.act(request, user_id, form.cleaned_data, **kwargs)
            except AccountError as error:
                self._complain(request, error)
        return redirect(f"{page_of(user_id)}#{self.anchor}")

    def is_there(self, user_id: int, **kwargs: Any) -> bool:
        """Whether what the address names is a customer's, and that customer's."""
        return Customer.objects.filter(pk=user_id).exists()

    def act(self, request: HttpRequest, user_id: int, given: dict[str, Any], **kwargs: Any) -> None:
        raise NotImplementedError

    def _complain(self, request: HttpRequest, *faults: object) -> None:
        for fault in faults:
            messages.error(request, str(fault))


class NoteView(PostView):
    permission_required = "accounts.add_staffnote"
    anchor = "panel-notes"


class AddNoteView(NoteView):
    form_class = NoteForm

    def act(self, request: HttpRequest, user_id: int, given: dict[str, Any], **kwargs: Any) -> None:
        services.add_note(user_id=user_id, actor=request.user, **given)


class OneNoteView(NoteView):
    """About a note that is there: it is looked for among those of the customer whose page names it."""

    def is_there(self, user_id: int, **kwargs: Any) -> bool:
        return StaffNote.objects.filter(pk=kwargs["note_id"], user_id=user_id).exists()


class ChangeNoteView(OneNoteView):
    form_class = NoteForm

    def act(self, request: HttpRequest, user_id: int, given: dict[str, Any], **kwargs: Any) -> None:
        services.change_note(note_id=kwargs["note_id"], actor=request.user, **given)


class DeleteNoteView(OneNoteView):
    def act(self, request: HttpRequest, user_id: int, given: dict[str, Any], **kwargs: Any) -> None:
        services.delete_note(note_id=kwargs["note_id"], actor=request.user)


class TagView(PostView):
    permission_required = "accounts.tag_customers"
    form_class = TagForm
    anchor = "tags"
    verb: ClassVar[Callable[..., bool]]

    def act(self, request: HttpRequest, user_id: int, given: dict[str, Any], **kwargs: Any) -> None:
        type(self).verb(user_id=user_id, tag_id=given["tag"].pk, actor=request.user)


class AddTagView(TagView):
    verb = staticmethod(services.tag_customer)


class RemoveTagView(TagView):
    verb = staticmethod(services.untag_customer)


def tags_on_page(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """Context of the tags in the head of the customer page: those that are there, and those that can be added."""
    tags = selectors.tags_of(user_id=customer.pk)
    may_tag = request.user.has_perm(TagView.permission_required)
    missing = selectors.all_tags().exclude(pk__in=[tag.pk for tag in tags])[:MOST_TAGS] if may_tag else ()
    return {"tags": tags, "missing_tags": missing, "may_tag": may_tag}
