"""Forms of records that somebody else may change while they are open."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BoundField
from django.http import QueryDict

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class AsSeenForm(_ModelForm):
    """Remembers, beside each field, what it showed when the page was opened.

    What only others changed meanwhile stays as they left it; what both changed is refused once, and the next save is
    meant. A field whose hidden twin is not sent is saved as it comes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left_alone: set[str] = set()
        for field in self.fields.values():
            # What cannot be written here is not shown beside itself either: a password's hash is such a field.
            field.show_hidden_initial = not field.disabled

    @property
    def changed_data(self) -> list[str]:
        """Against the record as it is, not as it was shown: the audit log tells what a save does."""
        changed = (field.name for field in self if field.field.has_changed(field.initial, field.data))
        return [name for name in changed if name not in self._left_alone]

    def clean(self) -> dict[str, Any]:
        for field in self:
            seen = self._seen(field)
            if seen is None or not field.field.has_changed(field.initial, seen):
                continue
            if not self._is_mine(field, seen):
                self._left_alone.add(field.name)
                self.cleaned_data[field.name] = self._as_it_is(field)
            elif field.field.has_changed(field.initial, field.data):
                self._refuse(field)
        return super().clean() or self.cleaned_data

    def _seen(self, field: BoundField) -> Any:
        if field.field.disabled:
            return None
        widget = field.field.hidden_widget()
        if widget.value_omitted_from_data(self.data, self.files, field.html_initial_name):
            return None
        return widget.value_from_datadict(self.data, self.files, field.html_initial_name)

    def _is_mine(self, field: BoundField, seen: Any) -> bool:
        try:
            return bool(field.field.has_changed(field.field.to_python(seen), field.data))
        except ValidationError:
            return True

    def _as_it_is(self, field: BoundField) -> Any:
        names = {column.name for column in (*self._meta.model._meta.fields, *self._meta.model._meta.many_to_many)}
        if field.name not in names:
            return field.field.to_python(field.initial)
        value = getattr(self.instance, field.name)
        return value.all() if isinstance(value, models.Manager) else value

    def _refuse(self, field: BoundField) -> None:
        self.add_error(
            field.name,
            f"Somebody else changed this after you opened the page: it is {_words(field)} now. "
            "Save again to put yours in its place.",
        )
        # Whoever saves again has seen what it is now.
        data = cast("QueryDict", self.data).copy()
        shown = field.field.prepare_value(field.initial)
        if isinstance(shown, Sequence) and not isinstance(shown, str):
            data.setlist(field.html_initial_name, [str(one) for one in shown])
        else:
            data[field.html_initial_name] = "" if shown is None else str(shown)
        self.data = data


def _words(field: BoundField) -> str:
    if isinstance(field.field, forms.ModelMultipleChoiceField):
        return ", ".join(str(one) for one in field.initial or ()) or "nothing"
    choices = {str(value): label for value, label in getattr(field.field, "choices", ())}
    return f"“{choices.get(str(field.initial), field.initial)}”" if field.initial not in (None, "") else "empty"
