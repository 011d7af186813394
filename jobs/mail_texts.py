"""Texts of mails with places that are filled from the customer. Pure: no format strings, which could reach anywhere."""

import re
from collections.abc import Mapping

PLACE = re.compile(r"\{([^{}\s]*)\}")
# What may stand in braces, with what it becomes, in words for the form.
PLACES: Mapping[str, str] = {
    "name": "the full name, or “customer”",
    "first_name": "the first name, or “there”",
    "email": "the address",
    "plan": "the plan, or “no plan”",
    "credits": "the balance",
}


def unknown_places(text: str) -> list[str]:
    """What stands in braces and cannot be filled."""
    return sorted({name for name in PLACE.findall(text) if name not in PLACES})


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its places filled, each by one line. What was filled in is not looked at again."""
    return PLACE.sub(lambda place: " ".join(values[place[1]].split()), text)
