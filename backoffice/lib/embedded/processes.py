"""Starting a server as its account, telling it from a stranger, and waiting for it to end."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from backoffice.lib.embedded.places import Account

Say = Callable[[str], object]
PAUSE_SECONDS = 0.02
REMIND_SECONDS = 10.0


class Patience:
    """A wait without limit that says now and then what it waits for."""

    def __init__(self, say: Say, what: str) -> None:
        self._say = say
        self._what = what
        self._started = self._said = time.monotonic()

    def pause(self, seconds: float = PAUSE_SECONDS) -> None:
        time.sleep(seconds)
        now = time.monotonic()
        if now - self._said >= REMIND_SECONDS:
            self._said = now
            self._say(f"{self._what}, {now - self._started:.0f} s so far")


def environment(account: Account) -> dict[str, str]:
    """Nothing of the caller's: no PGDATA, no secret. Messages are in English, since we read them."""
    return {"PATH": os.defpath, "LC_ALL": "C", "LOGNAME": account.name, "USER": account.name}


def start(command: Sequence[str | Path], account: Account, log: Path) -> psutil.Process:
    """Start a server in a session of its own, so that Ctrl-C in a terminal does not reach it."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 (our own programs and arguments)
            command,
            cwd="/",
            env=environment(account),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            **account.popen_options(),
        )
    process = psutil.Process(child.pid)
    # The server outlives this process when others use it too, so nobody may wait for it in a destructor.
    child.returncode = 0
    return process


def process(pid: int) -> psutil.Process | None:
    """The living process with this id; a zombie, which holds nothing any more, counts as gone."""
    try:
        found = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return found if alive(found) else None


def alive(server: psutil.Process) -> bool:
    """Whether it still runs; reaps it if it was our own child and has ended."""
    try:
        if not server.is_running():
            return False
        if server.status() != psutil.STATUS_ZOMBIE:
            return True
    except psutil.NoSuchProcess:
        return False
    if server.ppid() == os.getpid():
        server.wait()
    return False


class Look(NamedTuple):
    """What tells our server from a stranger."""

    program: Path
    folder: Path


def look(server: psutil.Process, account: Account) -> Look | None:
    """The program that a process runs and the folder it works in; None when we may not see, or it is gone."""
    try:
        return Look(Path(server.exe()), Path(server.cwd()))
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return None if account.is_caller else _look_as(account, server.pid)


def _look_as(account: Account, pid: int) -> Look | None:
    """Root in a container often lacks the right to look into others' processes; the account sees its own."""
    done = subprocess.run(  # noqa: S603 (our own script; the pid is a number)
        ["/bin/sh", "-c", 'readlink "/proc/$1/exe" && readlink "/proc/$1/cwd"', "look", str(pid)],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment(account),
        check=False,
        **account.popen_options(),
    )
    lines = done.stdout.splitlines()
    return Look(Path(lines[0].removesuffix(" (deleted)")), Path(lines[1])) if len(lines) == 2 else None


def stop(server: psutil.Process, signal_number: int, patience: Patience) -> None:
    """Signal a verified process and wait until it is gone; psutil refuses if its id was given to another."""
    try:
        server.send_signal(signal_number)
    except psutil.NoSuchProcess:
        return
    while alive(server):
        patience.pause()


@contextmanager
def stopped_on_error(server: psutil.Process, signal_number: int) -> Iterator[None]:
    """Leave no half-started server behind when waiting for it fails or is interrupted."""
    try:
        yield
    except BaseException:
        if alive(server):
            server.send_signal(signal_number)
        raise


def read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
