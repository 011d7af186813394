"""Backups of the database: one file by pg_dump, of one moment, with its checksum beside it."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backoffice.lib import embedded

CHECKSUM_SUFFIX = ".sha256"
PART_SUFFIX = ".part"
CHUNK = 1024 * 1024
# What libpq reads in the place of arguments, which everybody on the machine could see.
ENVIRONMENT = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
SAFE_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding")
# One line of pg_dump --verbose for each table, as it comes to it.
DUMPING = re.compile(r'dumping contents of table "([^"]+)"')


class BackupError(Exception):
    """A backup cannot be made or used; the message says why in one line."""


@dataclass(frozen=True)
class Target:
    """A database as its owner reaches it; ``settings`` are Django's of a connection."""

    settings: Mapping[str, Any]
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """What PostgreSQL's programs need to log in."""
        given = {variable: str(self.settings.get(key) or "") for key, variable in ENVIRONMENT.items()}
        options = self.settings.get("OPTIONS", {})
        given |= {f"PG{name.upper().replace('_', '')}": str(options[name]) for name in SAFE_OPTIONS if name in options}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {name: value for name, value in given.items() if value} | {"PGDATABASE": self.name}


def program(name: str, server_version: int) -> Path:
    """pg_dump or pg_restore that goes with a server of this major version: of the same if there is one, else later.

    Looked for on PATH and among the embedded binaries. Raises BackupError.
    """
    found = [Path(path) for path in (shutil.which(name), str(embedded.client(name))) if path and Path(path).exists()]
    fitting = {version: path for path in reversed(found) if (version := _version(path)) >= server_version}
    if not fitting:
        raise BackupError(f"No {name} of PostgreSQL {server_version} or later is on PATH: install its client programs.")
    return fitting[min(fitting)]


def _version(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def dump(target: Target, file: Path, *, server_version: int, on_table: Callable[[str], None]) -> str:
    """Write the whole database to ``file``, which nobody but us may read, and its checksum beside it; the checksum.

    The file appears under its name once it is whole and was read back. ``on_table`` is told each table that is begun.
    Raises BackupError, also when the file is there already.
    """
    checksum_file = Path(f"{file}{CHECKSUM_SUFFIX}")
    if file.exists() or checksum_file.exists():
        raise BackupError(f"{file} is there already: a backup is never written over.")
    with _private_part(file) as part:
        _run(
            [str(program("pg_dump", server_version)), "--format=custom", "--verbose", f"--file={part}"],
            target,
            on_line=lambda line: on_table(match[1]) if (match := DUMPING.search(line)) else None,
        )
        # Whether it can be read: a full disk, say, leaves what looks like one.
        _run([str(program("pg_restore", server_version)), "--list", "--file=/dev/null", str(part)], target)
        checksum = checksum_of(part)
        with _private_part(checksum_file) as beside:
            beside.write_text(f"{checksum}  {file.name}\n")
            _keep(beside, checksum_file)
        _keep(part, file)
    return checksum


def check(file: Path) -> str:
    """The checksum of a backup. Raises BackupError when it is not the one that was written beside it."""
    checksum_file = Path(f"{file}{CHECKSUM_SUFFIX}")
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    if not checksum_file.is_file():
        raise BackupError(f"{checksum_file} is missing: nobody can tell whether the backup is whole.")
    told, actual = checksum_file.read_text().split(), checksum_of(file)
    if not told or told[0] != actual:
        raise BackupError(f"{file} is not the file that was written: its checksum is another. Nothing was restored.")
    return actual


def load(target: Target, file: Path, *, server_version: int) -> None:
    """Restore ``file`` into an empty database, all or nothing, as things of whoever logs in. Raises BackupError."""
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={target.name}"]
    _run([str(program("pg_restore", server_version)), *options, str(file)], target)


def checksum_of(file: Path) -> str:
    """SHA-256 in hex."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _private_part(file: Path) -> Iterator[Path]:
    """A file beside ``file`` for what is not whole yet; gone at the end, unless it was given its name."""
    part = Path(f"{file}{PART_SUFFIX}")
    try:
        # What an earlier run left, killed in the middle, is of no use; somebody else's link is not followed.
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupError(f"{part} cannot be written: {error.strerror}.") from error
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _keep(part: Path, file: Path) -> None:
    """Give it its name, once it is on the disk."""
    with part.open("rb") as opened:
        os.fsync(opened.fileno())
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _run(command: list[str], target: Target, *, on_line: Callable[[str], None] = lambda line: None) -> None:
    process = subprocess.Popen(  # noqa: S603
        command,
        env=target.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    said: list[str] = []
    try:
        for line in process.stderr or ():
            on_line(line)
            said = [*said[-20:], line.strip()]
        if process.wait():
            complaint = next((line for line in said if "error:" in line), said[-1] if said else "no word why")
            raise BackupError(f"{Path(command[0]).name} failed: {complaint}")
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if process.stderr:
            process.stderr.close()
