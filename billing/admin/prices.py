"""Amounts and prices as staff type them."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from backoffice.lib import money
from billing.models.payments import MAX_MINOR

# ASCII digits only: no exponent, underscore or full-width digit. So long that a Decimal carries it exactly.
PLAIN_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,10})?")


class PlainDecimalField(forms.DecimalField):
    """A number in plain digits. Decimal itself reads much more, up to numbers that it cannot reckon with."""

    def to_python(self, value: Any) -> Decimal | None:
        if value not in self.empty_values and not PLAIN_DECIMAL.fullmatch(str(value).strip(" ")):
            raise ValidationError("Write it in at most 18 plain digits, such as 10 or 10.50.", code="invalid")
        return super().to_python(value)


class BareDecimalField(PlainDecimalField):
    """One that shows ``160`` and not ``160.0000``, as a column of four decimals has it; prices keep theirs."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def minor_units_of(form: forms.ModelForm, price: Decimal, currency: str) -> int:
    """A price as customers see it in minor units; what is none becomes an error of the form's ``price``, and 0."""
    try:
        minor = money.minor_units(price, currency)
    except ValueError as error:
        form.add_error("price", str(error))
        return 0
    if minor > MAX_MINOR:
        form.add_error("price", "The price is too high.")
        return 0
    return minor
