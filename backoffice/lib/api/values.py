"""Types of values in bodies and answers, each with its rule and its words in the documentation."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, PlainValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from pydantic_core import PydanticCustomError

from backoffice.lib import clock

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks of products run ahead a little; a time beyond that is a mistake.
AHEAD = timedelta(days=1)
# A date, a time and an offset: a bare number could be seconds or milliseconds, and a bare time anybody's.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9:]{4,6})"
)
_PLACES_BEYOND_MICROSECONDS = re.compile(r"([.,][0-9]{6})[0-9]+")


class Body(BaseModel):
    """A body, or a part of one: nothing is guessed, and what is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def told(self) -> dict[str, Any]:
        """The fields that were sent, null ones included, as Python values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def refused(code: str, message: str) -> PydanticCustomError:
    """A refusal of one value, under a code of its own."""
    # The message is a template of pydantic's, in which a brace would be read as a name.
    return PydanticCustomError(code, "{message}", {"message": message, "code": code})


def read_moment(value: object) -> datetime:
    """An ISO 8601 time with its offset, such as 2026-03-01T12:00:00Z, in UTC. Raises PydanticCustomError."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise refused("invalid_time", "Write the time as ISO 8601 with its offset, such as 2026-03-01T12:00:00Z.")
    try:
        text = _PLACES_BEYOND_MICROSECONDS.sub(r"\1", value.upper())
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise refused("invalid_time", "There is no such time.") from error


def read_past(value: object) -> datetime:
    """A time that has been: from 1970 on, and no more than a day ahead of our clock."""
    moment = read_moment(value)
    if not EARLIEST <= moment <= clock.now() + AHEAD:
        raise refused("invalid_time", "The time lies before 1970 or in the future.")
    return moment


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_TIME_SCHEMA = JsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T12:00:00Z"]})
UtcTime = Annotated[datetime, BeforeValidator(read_moment), PlainSerializer(iso, return_type=str), _TIME_SCHEMA]
PastTime = Annotated[datetime, BeforeValidator(read_past), PlainSerializer(iso, return_type=str), _TIME_SCHEMA]


def read_decimal(value: object, *, parse: Callable[[str], Decimal]) -> Decimal:
    """An exact decimal from text or a JSON integer, by the rules of ``parse``, which raises ValueError.

    A JSON number with a point is refused: by the time it is read it is the nearest binary fraction, not what was
    written. Raises PydanticCustomError under the ``code`` of the ValueError.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refused("invalid_amount", 'Write the amount as text in plain digits, such as "0.25".')
    try:
        return parse(str(value))
    except ValueError as error:
        raise refused(getattr(error, "code", "invalid_amount"), str(error)) from error


def plain_decimal(amount: Decimal) -> str:
    """Plain digits without exponent or trailing zeros: ``100``, ``0.25``."""
    text = format(amount or Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_type(parse: Callable[[str], Decimal]) -> Any:
    """The type of an amount in a body, read by ``parse``: ``Amount = amount_type(parse_amount)``."""

    def read(value: object) -> Decimal:
        return read_decimal(value, parse=parse)

    return Annotated[
        Decimal,
        PlainValidator(read),
        PlainSerializer(plain_decimal, return_type=str),
        JsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,4})?$", "examples": ["12.5"]},
                    {"type": "integer", "minimum": 1, "maximum": 1_000_000_000},
                ],
                "description": "Plain digits, more than 0, at most 4 decimal places.",
            }
        ),
    ]


# An amount in an answer.
AmountOut = Annotated[
    Decimal,
    PlainSerializer(plain_decimal, return_type=str),
    JsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,4})?$", "examples": ["12.5"]}),
]

Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]
