"""Who is asking: the request that the code runs for, known to the audit log without being passed around."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RequestContext:
    """Where an act came from. Outside a request all of it is empty."""

    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""
    # How the API key begins by which a program asks in somebody's name.
    api_key: str = ""


NO_REQUEST = RequestContext()

_current: ContextVar[RequestContext] = ContextVar("audit_request_context", default=NO_REQUEST)


def current() -> RequestContext:
    """The context of the request being served, or an empty one."""
    return _current.get()


@contextmanager
def serving(context: RequestContext) -> Iterator[None]:
    """Run the block as part of ``context``."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def asked_by_key(prefix: str) -> None:
    """From here on the request being served is one by the API key that begins with ``prefix``."""
    _current.set(replace(_current.get(), api_key=prefix))
