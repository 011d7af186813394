"""Reading JSON as strangers send it: whatever PostgreSQL could not keep is refused here, in words."""

import json
from math import isfinite
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from backoffice.lib.api.errors import ApiError
from backoffice.lib.texts import NUL, has_half_character, texts_in

MAX_DEPTH = 64


class StrictParser(Parser):
    """JSON in UTF-8, without NaN, infinities, NUL or half characters, at most 64 levels deep."""

    def parse_body(self, request: HttpRequest) -> Any:
        _check_whole(request)
        try:
            text = request.body.decode("utf-8")
            value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "malformed_json", f"The body is not JSON: {_reason(error)}.") from error
        # Only an escape can bring in what plain UTF-8 text cannot hold.
        if "\\u" in text or NUL in text:
            refuse_unstorable(value)
        if text.count("[") + text.count("{") > MAX_DEPTH and depth_of(value) > MAX_DEPTH:
            raise ApiError(422, "too_deep", f"The body is nested more than {MAX_DEPTH} levels deep.")
        return value


def _check_whole(request: HttpRequest) -> None:
    """Raise ApiError 400 unless all of the body came that was announced: a part may be JSON too."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isascii() or not announced.isdigit() or len(request.body) != int(announced):
        raise ApiError(400, "body_incomplete", "The body is not as long as its Content-Length says.")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error)[:200]


def refuse_unstorable(value: Any) -> None:
    """Raise ApiError 422 when any text in ``value``, keys included, holds a NUL or half a surrogate pair."""
    for text in texts_in(value):
        if NUL in text:
            raise ApiError(422, "nul_in_text", "A text holds the character NUL, which cannot be kept.")
        if has_half_character(text):
            raise ApiError(422, "broken_text", "A text holds half a surrogate pair, which is no character.")


def depth_of(value: Any) -> int:
    """How many levels of lists and objects ``value`` has; a plain value has none."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth
