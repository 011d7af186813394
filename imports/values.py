"""How the cells of an import are read, each into what the database keeps."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import User
from backoffice.lib import clock
from backoffice.lib.countries import COUNTRIES
from backoffice.lib.csv import as_typed
from backoffice.lib.money import is_currency
from backoffice.lib.texts import NUL
from credits.amounts import parse_amount
from credits.errors import InvalidAmount
from credits.postings import LONGEST_LIFE, MAX_PAID_MINOR

LARGEST_COUNT = 2**31 - 1
FIRST_YEAR = 1970
YES, NO = {"true", "yes", "1", "y", "t"}, {"false", "no", "0", "n", "f"}
CODE = re.compile(r"[A-Za-z0-9_-]{1,16}")
STRIPE_CUSTOMER = re.compile(r"cus_[A-Za-z0-9]{1,250}")


class BadValue(ValueError):
    """A cell cannot be read: what is wrong and what to do."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem} {advice}")
        self.problem, self.advice = problem, advice


def cell(text: str) -> str:
    """The text of a cell without blanks around it, and without the ' that keeps a spreadsheet from running it."""
    bare = text.strip(" \t\r\n\xa0")
    if NUL in bare:
        raise BadValue("The value holds a NUL character.", "Remove it: it is none that anybody typed.")
    return as_typed(bare)


def text_of(longest: int) -> Callable[[str], str]:
    """A reader of texts with at most ``longest`` characters."""

    def read(text: str) -> str:
        if len(text) > longest:
            raise BadValue(f"The value has {len(text):,} characters.", f"Shorten it to {longest}.")
        return text

    return read


def email(text: str) -> str:
    try:
        validate_email(text_of(254)(text))
    except ValidationError as error:
        raise BadValue("This is not an email address.", "Write it as name@example.com.") from error
    return User.objects.normalize_email(text)


def country(text: str) -> str:
    code = text.upper()
    if code not in COUNTRIES:
        raise BadValue("There is no such country.", "Write the code of two letters by ISO 3166, such as DE.")
    return code


def whole(most: int) -> Callable[[str], int]:
    """A reader of whole numbers from 0 to ``most``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) or int(text) > most:
            raise BadValue("This is not a whole number, or too large a one.", "Write digits alone, such as 1999.")
        return int(text)

    return read


def truth(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise BadValue("This says neither yes nor no.", "Write true or false.")
    return text.lower() in YES


def moment(text: str) -> datetime:
    try:
        told = datetime.fromisoformat(text)
        at = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue("This is not a time.", "Write 2026-01-31 or 2026-01-31T12:30:00Z.") from error
    if at.year < FIRST_YEAR:
        raise BadValue(f"The time lies before {FIRST_YEAR}.", "Correct it, or empty the cell.")
    return at


def past(text: str) -> datetime:
    at = moment(text)
    if at > clock.now():
        raise BadValue("The time lies in the future.", "Correct it: nobody has joined later than now.")
    return at


def expiry(text: str) -> datetime:
    # That it lies in the past is no fault of a balance that was imported before.
    at = moment(text)
    if at > clock.now() + LONGEST_LIFE:
        raise BadValue("The time is more than a hundred years away.", "Empty the cell for credits without expiry.")
    return at


def balance(text: str) -> Decimal | None:
    """A balance of 0 is none."""
    if re.fullmatch(r"0+(\.0+)?", text):
        return None
    try:
        return parse_amount(text)
    except InvalidAmount as error:
        raise BadValue(str(error), "A balance below 0 is not imported.") from error


def currency(text: str) -> str:
    code = text.upper()
    if not re.fullmatch("[A-Z]{3}", code) or not is_currency(code):
        raise BadValue("There is no such currency.", "Write the code of three letters by ISO 4217, such as USD.")
    return code


def code(text: str) -> str:
    if not CODE.fullmatch(text):
        raise BadValue("This is not a referral code.", "It has 1 to 16 letters, digits, hyphens and underscores.")
    return text


def stripe_customer(text: str) -> str:
    if not STRIPE_CUSTOMER.fullmatch(text):
        raise BadValue("This is not the id of a customer in Stripe.", "It begins with cus_.")
    return text


paid_minor: Callable[[str], Any] = whole(MAX_PAID_MINOR)
count: Callable[[str], Any] = whole(LARGEST_COUNT)
