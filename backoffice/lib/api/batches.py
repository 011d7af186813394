"""Batches: one broken item is told of in its place and does not take the others with it."""

from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Len
from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from backoffice.lib.api.errors import fault, rejection

MOST_ITEMS = 5000

State = Literal["created", "replayed", "rejected"]


class ErrorInfo(BaseModel):
    """``code`` is stable and meant for programs, ``message`` for people."""

    code: str
    message: str
    details: dict[str, Any] | list[dict[str, Any]] = {}


class ItemResult(BaseModel):
    """What became of the item at ``index`` of the batch; ``error`` only of a rejected one."""

    index: int
    status: State
    error: ErrorInfo | None = None


R = TypeVar("R", bound=ItemResult)


class BatchResults(BaseModel):
    results: list[ItemResult]


def _or_rejection(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        return rejection(error)


def items(model: type[BaseModel]) -> Any:
    """The type of a list of at most 5,000 items, of which each is read on its own.

    An element is a ``model``, or the ApiError that says why it is none.
    """
    return Annotated[list[Annotated[model, WrapValidator(_or_rejection)]], Len(0, MOST_ITEMS)]  # type: ignore[valid-type]


def rejected(index: int, error: Exception, result: type[R] = ItemResult) -> R:  # type: ignore[assignment]
    """The ``result`` of an item that ``error``, which has a ``code``, speaks against."""
    return result(index=index, status="rejected", error=ErrorInfo(**fault(error)))
