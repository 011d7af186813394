"""Web, worker and beat of one machine, started together, kept alive, and stopped in order."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from backoffice.lib import embedded
from backoffice.lib.embedded.places import folder

Say = Callable[[str], object]
HOST = "127.0.0.1"
POLL_SECONDS = 0.25
TEND_SECONDS = 5.0
GRACE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
MOST_DEATHS = 5
DEATHS_WINDOW_SECONDS = 60.0
PR_SET_PDEATHSIG = 1


class RunError(Exception):
    """What keeps the processes from running, in one line for the operator."""


def add_port_option(parser: ArgumentParser, environ: Mapping[str, str]) -> None:
    parser.add_argument(
        "--port",
        type=int,
        default=environ.get("PORT") or "8000",
        help="port on 127.0.0.1 (default: $PORT, else 8000)",
    )


def port(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The port that the arguments of `run` ask for, before Django has read them."""
    parser = ArgumentParser(add_help=False)
    add_port_option(parser, environ)
    return int(parser.parse_known_args(arguments)[0].port)


@contextmanager
def sole_run(data_dir: Path, port: int) -> Iterator[None]:
    """Hold the right to run this data directory's processes, on a port that is free.

    What a killed run has left is stopped first. Raises RunError when another run lives or the port is taken.
    """
    path = _register(data_dir)
    folder(data_dir, 0o711)
    # Others could take the lock of a file that they can read.
    folder(path.parent, 0o700)
    with path.open("a+") as register:
        try:
            fcntl.flock(register, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{data_dir} is already being run: stop that first") from None
        _stop_leftovers(register.name)
        register.truncate(0)
        _require_free(port)
        yield


def _register(data_dir: Path) -> Path:
    return data_dir / "locks" / "run"


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # Connections of a server that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise RunError(f"port {port} is not free ({error.strerror}): choose another, PORT=8001 say") from None


def _stop_leftovers(register: str) -> None:
    """A killed run took its children along, where the system can do that; stop those it could not."""
    lines = Path(register).read_text().splitlines()
    groups = {int(group): float(since) for group, since in map(str.split, lines)}
    if groups:
        left = [process for process in psutil.process_iter() if _is_leftover(process, groups)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(left, timeout=GRACE_SECONDS)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _is_leftover(process: psutil.Process, groups: Mapping[int, float]) -> bool:
    """In a group that the killed run made, not older than it, and a program of ours: ids are used again."""
    try:
        since = groups.get(os.getpgid(process.pid))
        if since is None or process.create_time() < since:
            return False
        return any("backoffice" in part for part in process.cmdline())
    except (ProcessLookupError, psutil.Error):
        return False


@dataclass
class Child:
    """One process that is kept alive, with the log that it appends to."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    recent_deaths: list[float] = field(default_factory=list)

    def count_death(self) -> int:
        """How often it died within the last minute, this time included."""
        now = time.monotonic()
        self.recent_deaths = [at for at in self.recent_deaths if now - at < DEATHS_WINDOW_SECONDS] + [now]
        return len(self.recent_deaths)


class Supervisor:
    """Starts the children in the given order and stops them in the reverse one."""

    def __init__(
        self, children: Sequence[Child], *, data_dir: Path, cwd: Path, environ: Mapping[str, str], say: Say
    ) -> None:
        self._children = children
        self._register = _register(data_dir)
        self._cwd = cwd
        self._environ = environ
        self._say = say

    def start(self) -> None:
        for child in self._children:
            self._start(child)

    def watch(self, tend: Callable[[], object], until: Callable[[], bool] = lambda: False) -> None:
        """Restart what dies, with growing pauses, until `until` says so; call `tend` every few seconds.

        Raises RunError when a child dies five times within a minute.
        """
        tended = time.monotonic()
        while not until():
            for child in self._children:
                self._keep_alive(child)
            if time.monotonic() - tended >= TEND_SECONDS:
                tend()
                self._trim_logs()
                tended = time.monotonic()
            time.sleep(POLL_SECONDS)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Ask each to finish, insist after `grace` seconds, and leave none of its own children behind."""
        for child in reversed(self._children):
            if child.process is not None:
                _end(child.process, grace)
                child.process = None

    def _start(self, child: Child) -> None:
        embedded.trim(child.log)
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603 (our own commands)
                child.command,
                cwd=self._cwd,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal reaches this process alone, which then stops the others in order.
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        with self._register.open("a") as register:
            register.write(f"{child.process.pid} {psutil.Process(child.process.pid).create_time()}\n")

    def _keep_alive(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.start_at:
                self._start(child)
        elif (code := child.process.poll()) is not None:
            self._bury(child, code)

    def _bury(self, child: Child, code: int) -> None:
        if child.process is not None:
            # Its own children may live on, and hold the port that its successor needs.
            _kill_group(child.process.pid)
        child.process = None
        deaths = child.count_death()
        if deaths >= MOST_DEATHS:
            raise RunError(
                f"{child.name} ended {MOST_DEATHS} times within a minute; {child.log} says:\n"
                + embedded.tail(child.log)
            )
        pause = FIRST_PAUSE_SECONDS * 2 ** (deaths - 1)
        child.start_at = time.monotonic() + pause
        self._say(f"{child.name} ended ({_reason(code)}), starting it again in {pause:g} s; see {child.log}")

    def _trim_logs(self) -> None:
        for child in self._children:
            embedded.trim(child.log)


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """SIGTERM finishes work in hand, SIGQUIT makes Celery give it back, the rest is killed."""
    for signal_number in (signal.SIGTERM, signal.SIGQUIT):
        process.send_signal(signal_number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
            break
    _kill_group(process.pid)
    process.wait()


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel ends a child whose parent was killed, so that none keeps the port."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
