"""One shape for everything that goes wrong: ``{"error": {"code", "message", "details"}}``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic
import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

log = structlog.get_logger(__name__)

VALIDATION_ERROR = "validation_error"
SHOWN_FAULTS = 50
RETRY_SECONDS = 5
# What a status means when nobody gave the failure a name of its own.
CODES = {
    400: ("bad_request", "The request cannot be read."),
    401: ("unauthorized", "A valid key is needed: Authorization: Bearer <key>."),
    403: ("forbidden", "This key may not do that."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("body_too_large", "The body is too large."),
    422: (VALIDATION_ERROR, "The request does not fit: see details."),
    429: ("rate_limited", "Too many requests. Wait as long as Retry-After says."),
    500: ("internal_error", "Something went wrong here. Try again with the same idempotency key."),
    503: ("unavailable", "The database cannot be reached. Try again with the same idempotency key."),
}


class ApiError(Exception):
    """A failure that is answered as it stands."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.details, self.headers = status, code, details, headers

    @classmethod
    def plain(cls, status: int, **more: Any) -> "ApiError":
        """The failure that ``status`` stands for, in its usual words."""
        return cls(status, *CODES[status], **more)


@dataclass(frozen=True)
class ErrorTable:
    """How the domain errors under ``base`` are answered: their ``code`` -> HTTP status.

    An error may have ``details``, a mapping that fits JSON.
    """

    base: type[Exception]
    statuses: Mapping[str, int] = field(default_factory=dict)

    def missing(self) -> set[str]:
        """Codes of errors under ``base`` that the table says nothing about."""
        return {error.code for error in _below(self.base)} - self.statuses.keys()  # type: ignore[attr-defined]


def _below(base: type[Exception]) -> Iterable[type[Exception]]:
    for error in base.__subclasses__():
        yield error
        yield from _below(error)


def fault(error: Exception) -> dict[str, Any]:
    """The inside of the envelope for an error that has a ``code``; also what a rejected item of a batch shows."""
    return {"code": error.code, "message": str(error), "details": getattr(error, "details", None) or {}}  # type: ignore[attr-defined]


def respond(error: ApiError) -> HttpResponse:
    """The answer to ``error``."""
    return JsonResponse({"error": fault(error)}, status=error.status, headers=dict(error.headers or {}))


def invalid(errors: Sequence[Any]) -> ApiError:
    """What pydantic refused. The code is that of the refused value's own rule if all errors share one."""
    details = [{"path": ".".join(map(str, error["loc"])), "message": error["msg"]} for error in errors]
    codes = {error.get("ctx", {}).get("code", VALIDATION_ERROR) for error in errors}
    if len(codes) == 1 and (code := codes.pop()) != VALIDATION_ERROR:
        return ApiError(422, code, details[0]["message"], details=details[:SHOWN_FAULTS])
    return ApiError.plain(422, details=details[:SHOWN_FAULTS])


def install(api: NinjaAPI, tables: Sequence[ErrorTable]) -> None:
    """Let ``api`` answer every exception in the envelope, domain errors by ``tables``.

    Raises ValueError when a table leaves an error out, since that one would surface as a 500.
    """
    for table in tables:
        if missing := table.missing():
            raise ValueError(f"{table.base.__qualname__}: no status for {', '.join(sorted(missing))}")
        api.add_exception_handler(table.base, _domain_handler(table))
    for exception, handler in HANDLERS.items():
        api.add_exception_handler(exception, handler)


def _domain_handler(table: ErrorTable) -> Any:
    def handle(request: HttpRequest, error: Exception) -> HttpResponse:
        code = error.code  # type: ignore[attr-defined]
        return respond(ApiError(table.statuses[code], code, str(error), details=getattr(error, "details", None)))

    return handle


def _as_it_stands(request: HttpRequest, error: ApiError) -> HttpResponse:
    return respond(error)


def _unauthorized(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return respond(ApiError.plain(401, headers={"WWW-Authenticate": "Bearer"}))


def _refused_by_ninja(request: HttpRequest, error: HttpError) -> HttpResponse:
    # What our parser raised comes wrapped.
    if isinstance(error.__cause__, ApiError):
        return respond(error.__cause__)
    return respond(ApiError.plain(error.status_code if error.status_code in CODES else 400))


def _not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return respond(invalid([item | {"loc": _in_request(item["loc"])} for item in error.errors]))


def _in_request(loc: Sequence[Any]) -> Sequence[Any]:
    # Ninja puts where it looked first, and for a body the name of our own argument.
    return loc[2:] if loc[:1] == ("body",) else loc[1:]


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return respond(ApiError.plain(404))


def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return respond(ApiError.plain(413))


def _unreadable(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
    return respond(ApiError.plain(400))


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_database_unavailable", path=request.path, exc_info=error)
    return respond(ApiError.plain(503, headers={"Retry-After": str(RETRY_SECONDS)}))


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_failed", method=request.method, path=request.path, exc_info=error)
    return respond(ApiError.plain(500))


HANDLERS: dict[type[Exception], Any] = {
    ApiError: _as_it_stands,
    AuthenticationError: _unauthorized,
    HttpError: _refused_by_ninja,
    ValidationError: _not_valid,
    Http404: _not_found,
    RequestDataTooBig: _too_large,
    UnreadablePostError: _unreadable,
    OperationalError: _unavailable,
    InterfaceError: _unavailable,
    Exception: _unexpected,
}


def rejection(error: pydantic.ValidationError) -> ApiError:
    """What pydantic refused of one item of a batch."""
    return invalid(error.errors(include_url=False, include_input=False))
