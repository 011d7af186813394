"""Fields that forms of several apps share."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backoffice.lib.admin.widgets import DateInput


class DayField(forms.DateField):
    """A day that has one before and one after it in every zone, which the ends of the calendar have not."""

    widget = DateInput

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not 1900 <= day.year <= 9000:
            raise forms.ValidationError("There is nothing to be found in that year.")
        return day


class ReasonField(forms.CharField):
    """Why a member of staff does it; ``help_text`` says who reads that."""

    def __init__(self, help_text: str = "Kept in the audit log.", *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(max_length=500, widget=forms.Textarea(attrs={"rows": rows}), help_text=help_text, **kwargs)


class LastDayField(forms.DateField):
    """The last day on which something holds; cleaned to the moment at which it ends in the reader's zone."""

    def __init__(self, help_text: str, label: str = "Last day of use") -> None:
        super().__init__(
            label=label,
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}),
            help_text=help_text,
        )

    def clean(self, value: Any) -> datetime | None:
        day = super().clean(value)
        if day is None:
            return None
        if not timezone.localdate() <= day <= timezone.localdate() + timedelta(days=3650):
            raise forms.ValidationError("Choose a day from today on, at most ten years ahead.")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
