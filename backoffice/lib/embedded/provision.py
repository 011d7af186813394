from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from backoffice.lib import environment
from backoffice.lib.embedded.places import data_dir
from backoffice.lib.embedded.processes import Say
from backoffice.lib.embedded.servers import Urls, running

# Tells `revive` in the same process tree which servers are embedded ones.
EMBEDDED = "BACKOFFICE_EMBEDDED"


@contextmanager
def provided(environ: MutableMapping[str, str], *, say: Say) -> Iterator[None]:
    """Run the servers that a development environment does not name, and name them in it.

    Whoever enters acts as an operator, so the owner's address is named too. Raises EmbeddedError when a server
    cannot run here, ValueError when BACKOFFICE_ENV is wrong.
    """
    missing = _missing(environ)
    if not missing:
        yield
        return
    with _running(environ, missing, say) as urls:
        # Named addresses are a sign of production, so child processes must be told that this is not.
        environ["BACKOFFICE_ENV"] = "development"
        environ[EMBEDDED] = " ".join(missing)
        if "postgres" in missing:
            environ["DATABASE_URL"] = urls.database
            environ["DATABASE_OWNER_URL"] = urls.owner
            environ["DATABASE_READONLY_URL"] = urls.readonly
        if "redis" in missing:
            environ["REDIS_URL"] = urls.redis
        yield


def revive(environ: MutableMapping[str, str], *, say: Say) -> None:
    """Start again what died of the servers that `provided` runs; cheap when all is well."""
    with _running(environ, environ.get(EMBEDDED, "").split(), say):
        pass


def _missing(environ: MutableMapping[str, str]) -> list[str]:
    if environment.name(environ) == "production":
        return []
    addresses = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return [server for server, variable in addresses.items() if not environ.get(variable)]


@contextmanager
def _running(environ: MutableMapping[str, str], names: list[str], say: Say) -> Iterator[Urls]:
    where = data_dir(environ)
    with running(where, postgres="postgres" in names, redis="redis" in names, say=say) as urls:
        yield urls
