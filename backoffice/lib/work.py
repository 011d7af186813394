"""What apps offer to be done later or by two: kinds of jobs, bulk acts, verbs with limits and approvals.

The app `jobs` carries them out; whoever offers one needs not know it, and stands above or below it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from django.db import models
from django.http import HttpRequest, HttpResponse

from backoffice.lib.registry import Registry


@dataclass(frozen=True)
class ItemOutcome:
    """How one target of a job ended: done, or refused and left as it was, with a word on it."""

    target_id: int
    is_done: bool = True
    note: str = ""


class Running(Protocol):
    """A job under way, as a kind of work sees it."""

    @property
    def id(self) -> int: ...

    @property
    def params(self) -> Mapping[str, Any]: ...

    @property
    def reason(self) -> str: ...

    @property
    def actor_id(self) -> int | None: ...

    @property
    def undoes_id(self) -> int | None: ...

    @property
    def targets(self) -> models.QuerySet[Any]:
        """The ids of what it is done to, to be used in a query: ``filter(pk__in=job.targets)``."""

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far it is. Seen at once, inside a transaction too.

        Raises when somebody canceled the job, or whoever asked for it may not do it any more.
        """

    def result(self, name: str) -> Any:
        """A context manager with a binary file to write the result to, which is kept when the block succeeds."""

    def say(self, message: str) -> None:
        """What came of it, in one line."""


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A sort of long work. ``permission`` is needed to start it, for as long as it runs, to see what came of it, and to
    undo it.

    Either ``do`` is called with a few target ids at a time, in order, each time in one transaction with the note of
    how far the job is, so that a killed worker repeats nothing and skips nothing. It must leave a refused target as
    it was. Or ``whole`` does all of the work at once and must do no harm when it is called again after it was killed.
    ``refusals`` are the errors that a reader understands. ``undo`` is the key of the kind that takes it back: its
    targets are those that were done. ``undo_effect`` tells, of the job with an id, what taking it back would change,
    as lines of a confirm form; ``words`` tells its params as labels and values; ``trace`` is where what it did can be
    looked at, as text and address.
    """

    key: str
    label: str
    permission: str
    do: Callable[[Running, Sequence[int]], Sequence[ItemOutcome]] | None = None
    whole: Callable[[Running], None] | None = None
    refusals: tuple[type[Exception], ...] = ()
    undo: str = ""
    undo_effect: Callable[[int], Sequence[Any]] | None = None
    words: Callable[[Mapping[str, Any]], Sequence[tuple[str, Any]]] | None = None
    trace: Callable[[int], tuple[str, str]] | None = None
    targets: str = "customers"
    at_once: int = 100
    order: int = 100

    def __post_init__(self) -> None:
        if (self.do is None) == (self.whole is None):
            raise ValueError(f"job kinds: {self.key!r} has either do or whole")


@dataclass(frozen=True, kw_only=True)
class ApprovableVerb:
    """An act that a second person may have to allow. ``permission`` is needed to ask for it and to allow it.

    ``effect`` shows what it would do now, as lines of a confirm form. ``run`` does it, given the request's params,
    who asked, who allowed it (whose limit it counts against) and a key under which it is done once; it answers what
    came of it. Both raise ``refusals``.
    """

    key: str
    label: str
    permission: str
    unit: str
    effect: Callable[[Mapping[str, Any]], Sequence[Any]]
    run: Callable[..., str]
    # Where the thing that it is about can be looked at.
    url: Callable[[Mapping[str, Any]], str]
    # Told the params and why, in the transaction in which a request ends without having been done.
    given_up: Callable[[Mapping[str, Any], str], None] | None = None
    refusals: tuple[type[Exception], ...] = ()
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class LimitedVerb:
    """An act that roles have limits for: what the amount is of, such as credits, or cents of a currency."""

    key: str
    label: str
    unit: str
    format: Callable[[Decimal], str]
    order: int = 100


@dataclass(frozen=True)
class Refusal:
    """Customers whom a bulk act would leave as they are: in words, and as a condition on customers."""

    words: str
    condition: models.Q


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    """An act on many customers at once, as an action of their list. It becomes a job of the kind ``key``.

    ``form`` asks for what the act needs, with a ``reason``; ``params`` makes of it what the job keeps. ``refusals``
    tell who would be left out as things are now; of the others, a queryset of customers, and how many they are,
    ``effect`` tells what the params would do to them, as lines of a confirm form. ``amount_of`` the params is what
    each of them counts against the limit ``limited_verb``. ``key`` is also that of the verb by which a second person
    allows what is above the limit.
    """

    key: str
    label: str
    permission: str
    form: type[Any]
    params: Callable[[Mapping[str, Any]], dict[str, Any]]
    effect: Callable[[models.QuerySet[Any], int, Mapping[str, Any]], Sequence[Any]]
    refusals: Sequence[Refusal] = ()
    help_text: str = ""
    is_dangerous: bool = False
    limited_verb: str = ""
    amount_of: Callable[[Mapping[str, Any]], Decimal] | None = None
    order: int = 100


class Desk:
    """Where bulk acts begin, and other long work of apps that stand below the jobs: who carries it out takes its place
    here, and lists hand it over."""

    def __init__(self) -> None:
        self.open: Callable[[HttpRequest, BulkAction, models.QuerySet[Any]], HttpResponse] | None = None
        # Queues a job (kind, actor, params), once for each token, and answers the address of its page.
        self.ask: Callable[..., str] | None = None


job_kinds: Registry[JobKind] = Registry("job kinds")
approvable_verbs: Registry[ApprovableVerb] = Registry("approvable verbs")
limited_verbs: Registry[LimitedVerb] = Registry("limited verbs")
bulk_actions: Registry[BulkAction] = Registry("bulk actions")
desk = Desk()
