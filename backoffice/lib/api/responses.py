"""What an endpoint may answer, said once for the documentation."""

from typing import Any

from pydantic import BaseModel

from backoffice.lib.api.batches import ErrorInfo

# Whatever the endpoint: no JSON, no key, wrong scope, too large, does not fit, too many, a fault here, no database.
EVERYWHERE = (400, 401, 403, 413, 422, 429, 500, 503)


class ErrorEnvelope(BaseModel):
    """Every failure has this shape."""

    error: ErrorInfo


def answers(successes: dict[int, Any], *failures: int) -> dict[int, Any]:
    """The ``response`` of an operation: what succeeds, and the failures of its own beside those of all."""
    return {**successes, **dict.fromkeys(sorted({*EVERYWHERE, *failures}), ErrorEnvelope)}
