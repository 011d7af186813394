import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from backoffice.lib.embedded import places as where
from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.passwords import secret
from backoffice.lib.embedded.places import Places
from backoffice.lib.embedded.postgres import Postgres
from backoffice.lib.embedded.processes import Say
from backoffice.lib.embedded.redis import Redis
from backoffice.lib.embedded.roles import APP, DATABASE, OWNER, PASSWORDS, READONLY


@dataclass(frozen=True)
class Urls:
    """Where the servers listen: for the product, its owner (migrations), read-only people; and Redis."""

    database: str
    owner: str
    readonly: str
    redis: str


class Server(Protocol):
    def ensure(self) -> None: ...

    def stop(self) -> None: ...


def urls(data_dir: Path) -> Urls:
    """The addresses of the embedded servers, known before anything runs; passwords are made on first use."""
    return _urls(Places.at(data_dir))


@contextmanager
def running(data_dir: Path, *, postgres: bool, redis: bool, say: Say = print) -> Iterator[Urls]:
    """Start the servers or join those that run; the last user of this data directory out stops them.

    `say` is told what takes long. Raises EmbeddedError when they cannot run here.
    """
    places = Places.at(data_dir)
    with ExitStack() as stack:
        try:
            places.prepare()
            if postgres:
                stack.enter_context(_shared(places.locks, "postgres", Postgres(places, say)))
            if redis:
                stack.enter_context(_shared(places.locks, "redis", Redis(places, say)))
        except PermissionError as error:
            raise EmbeddedError(
                f"no permission for {error.filename}: this data directory was used by another user before"
            ) from error
        yield _urls(places)


@contextmanager
def _shared(locks: Path, name: str, server: Server) -> Iterator[None]:
    """Count users by a shared lock, which the kernel drops for a killed one too."""
    where.folder(locks, 0o700)
    with (locks / f"{name}-users").open("a") as users:
        try:
            with _alone(locks):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.ensure()
            yield
        finally:
            with _alone(locks):
                if _is_last(users.fileno()):
                    server.stop()


@contextmanager
def _alone(locks: Path) -> Iterator[None]:
    """One at a time starts or stops a server of this data directory."""
    with (locks / "start").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _urls(places: Places) -> Urls:
    return Urls(
        database=_database_url(places, APP),
        owner=_database_url(places, OWNER),
        readonly=_database_url(places, READONLY),
        redis=f"unix://{quote(str(places.sockets / 'redis.sock'))}",
    )


def _database_url(places: Places, role: str) -> str:
    """libpq and django-environ both read the socket folder from the query, not from the host's place."""
    password = quote(secret(places.data_dir, PASSWORDS[role]), safe="")
    return f"postgres://{role}:{password}@/{DATABASE}?host={quote(str(places.sockets), safe='')}"
