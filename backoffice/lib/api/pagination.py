"""Lists by cursor: the next page begins after the last row that was given, wherever rows came or went."""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from django.core import signing
from django.db.models import Model, QuerySet
from pydantic import BaseModel, Field

from backoffice.lib.api.errors import ApiError

SALT = "api.cursor"
MOST_ROWS = 200
USUAL_ROWS = 50
M = TypeVar("M", bound=Model)


class PageQuery(BaseModel):
    """``?limit=&cursor=`` of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = USUAL_ROWS
    cursor: Annotated[str, Field(max_length=400)] | None = None


class Page(Generic[M]):
    """Rows of one page and the cursor of the next, which is None on the last."""

    def __init__(self, rows: Sequence[M], next_cursor: str | None) -> None:
        self.rows, self.next_cursor = rows, next_cursor


def page_of(queryset: QuerySet[M], query: PageQuery, *, key: str = "pk", scope: str = "") -> Page[M]:
    """The page of ``queryset`` that ``query`` asks for, newest first by the unique integer column ``key``.

    ``scope`` names the list, so that a cursor of one list is refused by another. Raises ApiError 422.
    """
    if query.cursor is not None:
        queryset = queryset.filter(**{f"{key}__lt": _read(query.cursor, scope)})
    rows = list(queryset.order_by(f"-{key}")[: query.limit + 1])
    if len(rows) <= query.limit:
        return Page(rows, None)
    rows = rows[: query.limit]
    return Page(rows, _written(getattr(rows[-1], key), scope))


def _written(last: int, scope: str) -> str:
    return signing.Signer(salt=SALT).sign_object([scope, last])


def _read(cursor: str, scope: str) -> int:
    try:
        of, last = signing.Signer(salt=SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError) as error:
        raise _stray() from error
    if of != scope:
        raise _stray()
    return int(last)


def _stray() -> ApiError:
    return ApiError(422, "invalid_cursor", "The cursor is not one that this list gave.")
