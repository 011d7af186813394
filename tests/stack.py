"""The whole product as somebody runs it: web, worker, beat, PostgreSQL and Redis, in a data directory of its own.

To make a database and migrate it takes longer than most tests. So a test run does it once, when the first test asks,
and ``prepared_directory`` hands out copies. Tests of a first start begin with an empty ``data_directory``.
"""

import fcntl
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WEBHOOK_SECRET = "whsec_test_of_the_whole_stack"
PATIENCE_SECONDS = 120
# Where a test run keeps the directory that is copied; its workers read it here.
PREPARED = "BACKOFFICE_TESTS_PREPARED"
PREPARE = "from backoffice.management.commands.run import prepare_database; prepare_database()"


@dataclass(frozen=True)
class Stack:
    """A running product. ``output`` is what it printed."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str, **environment: str) -> str:
        """What a management command printed; raises when it fails."""
        return manage(self.data_dir, *arguments, **environment)


def environment_for(data_dir: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of the caller's database or Redis is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_", "PYTEST"))}
    return kept | {
        "BACKOFFICE_ENV": "development",
        "BACKOFFICE_DATA_DIR": str(data_dir),
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        **more,
    }


def manage(data_dir: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=environment_for(data_dir, **environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, f"manage.py {arguments[0]}: {done.stderr}"
    return done.stdout


@contextmanager
def data_directory() -> Iterator[Path]:
    """A short path that the servers' own user can reach, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bo-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def prepared_directory() -> Iterator[Path]:
    """As ``data_directory``, and ``run`` has prepared the database in it already."""
    with data_directory() as folder:
        # All that ``shutil`` would leave out: the cluster belongs to the account that its server runs as.
        subprocess.run(["cp", "-a", f"{_prepared()}/.", folder], check=True)
        yield folder


def _prepared() -> Path:
    """The directory that is copied, made by whoever comes first. No server runs in it."""
    home = Path(os.environ[PREPARED])
    with (home / "making").open("a") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        whole = home / "whole"
        if not whole.exists():
            making = home / "half"
            manage(making, "shell", "--no-imports", "-c", PREPARE)
            making.rename(whole)
    return whole


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(data_dir: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Start it as ``make run`` does, wait until it answers, and stop it as Ctrl-C does."""
    port = free_port()
    output = data_dir / "run-output.txt"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--port", str(port), *options],
            cwd=REPOSITORY,
            env=environment_for(data_dir, **(environment or {})),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        stack = Stack(data_dir, port, process, output)
        try:
            wait_until_ready(stack)
            yield stack
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_until_ready(stack: Stack) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert stack.process.poll() is None, stack.output.read_text()
        if answers(stack.port):
            return
        time.sleep(0.2)
    raise AssertionError(stack.output.read_text())


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
