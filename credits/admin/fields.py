"""Fields that the forms on credits share."""

from decimal import Decimal
from typing import Any

from django import forms

from backoffice.lib.admin import fields
from backoffice.lib.admin.fields import LastDayField
from credits.amounts import parse_amount
from credits.errors import InvalidAmount

__all__ = ["AmountField", "LastDayField", "ReasonField", "SignedAmountField"]


class AmountField(forms.CharField):
    """A positive amount of credits in plain digits; None when it may be left empty and is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        return self.read(text) if text else None

    def read(self, text: str) -> Decimal:
        try:
            return parse_amount(text)
        except InvalidAmount as error:
            raise forms.ValidationError(str(error)) from error


class SignedAmountField(AmountField):
    """An amount that may be taken as well: ``-2.5``."""

    def read(self, text: str) -> Decimal:
        amount = super().read(text.removeprefix("-"))
        return -amount if text.startswith("-") else amount


class ReasonField(fields.ReasonField):
    """Why a member of staff does it."""

    def __init__(self) -> None:
        super().__init__("Kept in the ledger and the audit log.")
