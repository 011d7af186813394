import contextlib
import hashlib
import os
import pwd
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from backoffice.lib.embedded.errors import EmbeddedError

REPOSITORY = Path(__file__).resolve().parents[3]
RELOCATED = Path("/var/lib")
# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero.
LONGEST_SOCKET_PATH = 103
SOCKET_NAME = ".s.PGSQL.5432"


def data_dir(environ: Mapping[str, str]) -> Path:
    """Where this checkout keeps its data: BACKOFFICE_DATA_DIR, else `var` in the checkout."""
    return Path(environ.get("BACKOFFICE_DATA_DIR") or REPOSITORY / "var").resolve()


@dataclass(frozen=True)
class Account:
    """The user whom the servers run as. PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    name: str

    @property
    def is_caller(self) -> bool:
        return self.uid == os.geteuid()

    def popen_options(self) -> dict[str, Any]:
        """What subprocess needs to become this user, supplementary groups dropped."""
        if self.is_caller:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether this user may enter (or run) the path, by the mode bits of it and of all its parents."""
        return self.is_caller or all(self._enters(part) for part in (path, *path.parents))

    def _enters(self, path: Path) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Places:
    """Where the embedded servers of one data directory live, and as whom; `at` makes one."""

    data_dir: Path

    @classmethod
    def at(cls, data_dir: Path) -> "Places":
        """The places of a data directory, which is made now so that its reach does not change later."""
        folder(data_dir, 0o711)
        return cls(data_dir.resolve())

    @cached_property
    def fingerprint(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]

    @property
    def relocated_home(self) -> Path:
        return RELOCATED / f"backoffice-{self.fingerprint}"

    @cached_property
    def account(self) -> Account:
        if os.geteuid() != 0:
            return _account(os.geteuid())
        for cluster in (self.data_dir / "postgres", self.relocated_home / "postgres"):
            if cluster.is_dir() and cluster.stat().st_uid != 0:
                return _account(cluster.stat().st_uid)
        return _unprivileged()

    @cached_property
    def home(self) -> Path:
        """The data directory, or a folder of its own when the account cannot reach that.

        A cluster stays where it was made, whatever happens to the permissions later: a second, empty one
        in another place would look like lost data.
        """
        if (self.data_dir / "postgres").is_dir():
            if not self.account.reaches(self.data_dir):
                raise EmbeddedError(
                    f"{self.data_dir} holds the database, but user {self.account.name} can no longer "
                    f"enter it: let that user in, or move its folder postgres to {self.relocated_home}"
                )
            return self.data_dir
        if self._note.exists():
            self._require_noted_home()
            return self.relocated_home
        if (self.relocated_home / "postgres").is_dir() or not self.account.reaches(self.data_dir):
            return self.relocated_home
        return self.data_dir

    @property
    def _note(self) -> Path:
        """Says where the cluster is when it is not in the data directory."""
        return self.data_dir / "database-at"

    def _require_noted_home(self) -> None:
        """A directory that was moved must not begin with an empty database, nor a copied one share the first's."""
        noted = self._note.read_text().strip()
        if noted != str(self.relocated_home):
            raise EmbeddedError(
                f"{self.data_dir} was moved or copied, its database is in {noted}: move that to "
                f"{self.relocated_home}, or remove {self._note} to begin with an empty one"
            )

    @property
    def cluster(self) -> Path:
        return self.home / "postgres"

    @property
    def locks(self) -> Path:
        return self.data_dir / "locks"

    @property
    def logs(self) -> Path:
        return self.data_dir / "log"

    @cached_property
    def sockets(self) -> Path:
        beside = self.home / "run"
        # A comma would part two hosts in a connection URL; other odd characters need quoting somewhere.
        if re.fullmatch(r"[A-Za-z0-9/._-]+", str(beside)) and _fits(beside):
            return beside
        return Path(f"/tmp/backoffice-{self.account.uid}-{self.fingerprint}")  # noqa: S108

    def prepare(self) -> None:
        """Make the folders. Raises EmbeddedError when the socket folder is somebody else's."""
        folder(self.home, 0o711)
        if self.home != self.data_dir:
            self._note.write_text(f"{self.home}\n")
        folder(self.logs, 0o700)
        private_folder(self.sockets, self.account)


def folder(path: Path, mode: int) -> None:
    """Make a folder with exactly this mode, whatever the umask; one that exists is left as it is."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return
    path.chmod(mode)


def private_folder(path: Path, account: Account) -> None:
    """Make a folder that only this account may enter; raises EmbeddedError if it is not so afterwards."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid in (account.uid, os.geteuid())
    if not ours or status.st_mode & 0o077:
        raise EmbeddedError(f"{path} is not a folder that user {account.name} alone may enter: remove it")
    if status.st_uid != account.uid:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid, os.getegid() if uid == os.geteuid() else uid, str(uid))
    return Account(uid, entry.pw_gid, entry.pw_name)


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise EmbeddedError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
