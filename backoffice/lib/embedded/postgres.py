"""The PostgreSQL server of one data directory."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from backoffice.lib.embedded import binaries, processes, roles
from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.logs import tail, trim
from backoffice.lib.embedded.passwords import secret
from backoffice.lib.embedded.places import Places
from backoffice.lib.embedded.processes import Patience, Say

MAJOR_VERSION = "18"
ONLY_PASSWORDS = "local all all scram-sha-256\n"
# Durability is never traded for speed here: small installs keep real money in this server.
# Log lines carry no row contents (terse) and no statements, which hold personal data.
CONFIGURATION = """\
max_connections = 300
shared_buffers = 256MB
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
password_encryption = 'scram-sha-256'
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
log_line_prefix = '%m [%p] %q%u@%d '
"""
# A postmaster that was killed leaves these behind for the moment its last sessions take to notice.
ORPHANS = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')


class Postgres:
    """Starts, finds and stops exactly one server. Every method needs the start lock."""

    def __init__(self, places: Places, say: Say) -> None:
        self._places = places
        self._say = say
        self._log = places.logs / "postgres.log"

    def ensure(self) -> None:
        """Have it running, accepting connections, with the owner's role and database in place."""
        trim(self._log)
        server = self.find()
        if server is None or not self._join(server):
            self._cold_start()

    def find(self) -> psutil.Process | None:
        """Our running postmaster, if there is one. Raises EmbeddedError when a strange one has our files."""
        pid = processes.read_pid(self._pid_file)
        server = processes.process(pid) if pid is not None else None
        if server is None:
            return None
        look = processes.look(server, self._places.account)
        # Another user's process, which we cannot see into, cannot work on our files: they are closed to others.
        if look is None or look.folder != self._places.cluster:
            return None
        if binaries.is_postgres(look.program):
            return server
        raise EmbeddedError(f"process {pid}, which is not ours, has {self._places.cluster} open: stop it first")

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is on disk when this returns."""
        server = self.find()
        if server is not None:
            processes.stop(server, signal.SIGINT, Patience(self._say, "Waiting for PostgreSQL to stop"))

    @property
    def _pid_file(self) -> Path:
        return self._places.cluster / "postmaster.pid"

    def _join(self, server: psutil.Process) -> bool:
        """False when it ended under our eyes."""
        if not self._becomes_ready(server):
            return False
        if not roles.ready(self._places) and processes.alive(server):
            roles.create(self._places)
        return processes.alive(server)

    def _cold_start(self) -> None:
        self._configure()
        if not self._places.cluster.is_dir():
            self._initialise()
        self._check_version()
        self._start()
        if roles.ready(self._places):
            return
        if not roles.superuser_enters(self._places):
            # The passwords were made anew while the cluster stayed: a removed data directory, for example.
            self.stop()
            self._reset_superuser()
            self._start()
        roles.create(self._places)

    def _configure(self) -> None:
        """Written at each start, outside the cluster, where the server's account cannot change them."""
        for path, text in ((self._configuration, CONFIGURATION), (self._access, ONLY_PASSWORDS)):
            path.write_text(text)
            path.chmod(0o644)

    @property
    def _configuration(self) -> Path:
        return self._places.home / "postgresql.conf"

    @property
    def _access(self) -> Path:
        return self._places.home / "pg_hba.conf"

    def _command(self, *mode: str) -> list[str | Path]:
        """Given as arguments, who may connect from where cannot be changed by ALTER SYSTEM."""
        options = {
            "config_file": self._configuration,
            "hba_file": self._access,
            "listen_addresses": "",
            "unix_socket_directories": self._places.sockets,
            "unix_socket_permissions": "0700",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [binaries.postgres(self._places) / "postgres", *mode, "-D", self._places.cluster, *settings]

    def _start(self) -> None:
        orphans = Patience(self._say, "Waiting for what a killed PostgreSQL left running")
        while True:
            if self.find() is None:
                self._pid_file.unlink(missing_ok=True)
            since = self._logged()
            server = processes.start(self._command(), self._places.account, self._log)
            with processes.stopped_on_error(server, signal.SIGINT):
                if self._becomes_ready(server):
                    return
            text = tail(self._log, since)
            if not any(sign in text for sign in ORPHANS):
                raise EmbeddedError(f"PostgreSQL did not start; {self._log} says:\n{text}")
            orphans.pause(0.2)

    def _becomes_ready(self, server: psutil.Process) -> bool:
        """Wait as long as it lives, for recovery may take long; False when it ended."""
        patience = Patience(self._say, "PostgreSQL is starting up or recovering")
        while processes.alive(server):
            if self._status(server.pid) == "ready":
                return True
            patience.pause()
        return False

    def _logged(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _status(self, pid: int) -> str:
        """What the postmaster last wrote of itself: line 1 of its file is its id, line 8 its state."""
        try:
            lines = self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) > 7 and lines[0] == str(pid) else ""

    def _check_version(self) -> None:
        version = (self._places.cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise EmbeddedError(
                f"{self._places.cluster} was made by PostgreSQL {version}, this is {MAJOR_VERSION}: "
                "restore a backup into a new data directory"
            )

    def _initialise(self) -> None:
        """Make the cluster under another name first, so that half of one is never taken for whole."""
        self._say("Making the database (once)")
        for abandoned in self._places.home.glob("postgres-new-*"):
            shutil.rmtree(abandoned)
        new = Path(tempfile.mkdtemp(dir=self._places.home, prefix="postgres-new-"))
        os.chown(new, self._places.account.uid, self._places.account.gid)
        with self._password_file() as password_file:
            self._run_initdb(new, password_file)
        new.rename(self._places.cluster)

    def _run_initdb(self, cluster: Path, password_file: Path) -> None:
        arguments = [
            "--username=postgres",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            f"--pgdata={cluster}",
        ]
        self._run([binaries.postgres(self._places) / "initdb", *arguments], "initdb")

    @contextmanager
    def _password_file(self) -> Iterator[Path]:
        """The superuser's password for initdb, which runs as another user and cannot read our secrets."""
        descriptor, name = tempfile.mkstemp(dir=self._places.sockets)
        try:
            with os.fdopen(descriptor, "w") as file:
                os.fchown(file.fileno(), self._places.account.uid, self._places.account.gid)
                file.write(secret(self._places.data_dir, "superuser-password"))
            yield Path(name)
        finally:
            os.unlink(name)

    def _reset_superuser(self) -> None:
        self._say(f"The passwords are new: giving them to the database in {self._places.cluster}")
        escaped = secret(self._places.data_dir, "superuser-password").replace("'", "''")
        command = [*self._command("--single"), "postgres"]
        self._run(command, "postgres --single", f"ALTER ROLE postgres PASSWORD '{escaped}'\n")

    def _run(self, command: list[str | Path], name: str, text: str = "") -> None:
        done = subprocess.run(  # noqa: S603 (our own programs and arguments)
            command,
            input=text,
            capture_output=True,
            text=True,
            cwd="/",
            env=processes.environment(self._places.account),
            check=False,
            **self._places.account.popen_options(),
        )
        if done.returncode:
            raise EmbeddedError(f"{name} failed: {(done.stderr or done.stdout).strip()}")
