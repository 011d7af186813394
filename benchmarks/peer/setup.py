"""Sets the peers up: a virtual environment of pinned packages, a database on the product's server, its accounts."""

import hashlib
import os
import subprocess
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backoffice.lib import embedded
from benchmarks.clients import REPOSITORY, client
from tests import databases

REQUIREMENTS = REPOSITORY / "benchmarks" / "requirements-peer.txt"


@dataclass(frozen=True)
class Peer:
    """The peers' interpreter and what their processes need to know."""

    python: str
    environment: Mapping[str, str]


@contextmanager
def ready(*, accounts: int = 0) -> Iterator[Peer]:
    """The peers in a database of their own, with ``accounts`` accounts to transfer between; dropped with the block."""
    name = f"bench_peer_{os.getpid()}"
    peer = Peer(_installed(embedded.data_dir(os.environ) / "benchmarks" / "peer"), _environment(name))
    databases.create(name)
    try:
        subprocess.run(
            [peer.python, "-m", "django", "migrate", "--verbosity=0"],
            env=peer.environment,
            cwd=REPOSITORY,
            check=True,
        )
        if accounts:
            with client("benchmarks.peer.transfers", peer.environment, peer.python) as process:
                process.call("populate", number=accounts)
        yield peer
    finally:
        databases.drop(name)


def _environment(name: str) -> Mapping[str, str]:
    # It owns its tables, as a Django team would set it up; that costs it nothing.
    return os.environ | {
        "DATABASE_URL": databases.on_database(databases.owner_url(), name),
        "DJANGO_SETTINGS_MODULE": "benchmarks.peer.settings",
    }


def _installed(home: Path) -> str:
    python, stamp = home / "bin" / "python", home / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(home, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", REQUIREMENTS], check=True)
        stamp.write_text(wanted)
    return str(python)
