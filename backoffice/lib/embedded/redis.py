"""The Redis server of one data directory. It keeps nothing: whatever is in it may be lost at any time."""

import signal
import socket
from pathlib import Path

import psutil

from backoffice.lib.embedded import binaries, processes
from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.logs import tail, trim
from backoffice.lib.embedded.places import Places
from backoffice.lib.embedded.processes import Patience, Say


class Redis:
    """Starts, finds and stops exactly one server. Every method needs the start lock."""

    def __init__(self, places: Places, say: Say) -> None:
        self._places = places
        self._say = say
        self._log = places.logs / "redis.log"
        self._socket = places.sockets / "redis.sock"
        self._pid_file = places.sockets / "redis.pid"

    def ensure(self) -> None:
        """Have it running and answering."""
        trim(self._log)
        server = self.find()
        if server is not None and self._answers():
            return
        self.stop()
        self._start()

    def find(self) -> psutil.Process | None:
        """Our running server, if there is one: a redis-server whose command line names our socket."""
        pid = processes.read_pid(self._pid_file)
        server = processes.process(pid) if pid is not None else None
        look = processes.look(server, self._places.account) if server is not None else None
        if server is None or look is None or not binaries.is_redis(look.program):
            return None
        try:
            return server if str(self._socket) in " ".join(server.cmdline()) else None
        except psutil.NoSuchProcess:
            return None

    def stop(self) -> None:
        """Stop it. Nothing is saved."""
        server = self.find()
        if server is not None:
            processes.stop(server, signal.SIGTERM, Patience(self._say, "Waiting for Redis to stop"))

    def _start(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        since = self._log.stat().st_size if self._log.exists() else 0
        server = processes.start(self._command(), self._places.account, self._log)
        with processes.stopped_on_error(server, signal.SIGTERM):
            self._wait_ready(server, since)

    def _wait_ready(self, server: psutil.Process, since: int) -> None:
        patience = Patience(self._say, "Redis is starting up")
        while not self._answers():
            if not processes.alive(server):
                raise EmbeddedError(f"Redis did not start; {self._log} says:\n{tail(self._log, since)}")
            patience.pause()

    def _command(self) -> list[str | Path]:
        """Only keys with an expiry (caches) are evicted when memory is full, never the queue."""
        options: dict[str, str | Path] = {
            "port": "0",
            "unixsocket": self._socket,
            "unixsocketperm": "700",
            "pidfile": self._pid_file,
            "dir": self._places.sockets,
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "volatile-lru",
            "loglevel": "warning",
        }
        command: list[str | Path] = [binaries.redis(self._places)]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
