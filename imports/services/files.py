"""The files themselves: kept until they are imported, and some days at most."""

import hashlib
import io
import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from backoffice.lib import clock
from backoffice.lib.traces import tells_of
from imports.models import CustomerImport

STORAGE = "uploads"
KEPT = timedelta(days=7)
FORGOTTEN_AT_ONCE = 200
NAME_LENGTH = 200
_HOLDS = ~Q(file="") | Q(report__first_faults__0__isnull=False)


@dataclass(frozen=True)
class Content:
    """What is known of a file without understanding it."""

    size: int
    lines: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> "Content":
        """Read once, piece by piece."""
        size, lines, digest = 0, 0, hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n") or chunk.count(b"\r")
        return cls(size, lines, digest.hexdigest())


def keep_file(
    *,
    file: "File[bytes]",
    name: str,
    actor: User | None,
    reason: str,
    encoding: str = "",
    updates: bool = False,
    ignores_unknown: bool = False,
    stored: bool = True,
) -> CustomerImport:
    """Keep a file that is to be imported, and how it is to be read; unless ``stored``, only what is known of it.

    Not in a transaction: its row is there before the file, so that no file is ever left that nobody knows of.
    """
    content = Content.of(file.chunks())
    # Nobody guesses the name, should the storage ever be served by mistake; and no name is a path of ours.
    kept = f"{secrets.token_hex(16)}.csv" if stored else ""
    given = CustomerImport.objects.create(
        name=PurePath(name.replace("\\", "/").replace("\x00", "")).name[-NAME_LENGTH:] or "file",
        file=kept,
        size=content.size,
        lines=content.lines,
        sha256=content.sha256,
        encoding=encoding,
        updates=updates,
        ignores_unknown=ignores_unknown,
        reason=reason,
        created_by=actor,
    )
    if kept:
        file.seek(0)
        storages[STORAGE].save(kept, file)
    return given


def open_file(given: CustomerImport) -> Any:
    """The bytes of a file that is kept. Raises FileNotFoundError."""
    if not given.file:
        raise FileNotFoundError(given.name)
    return storages[STORAGE].open(given.file)


def forget_old_files() -> int:
    """Delete the files whose time is over, and the cells that were wrong in them: they hold what people are called.

    How many imports were emptied.
    """
    old = CustomerImport.objects.filter(_HOLDS, created_at__lte=clock.now() - KEPT).order_by("created_at")
    found = list(old[:FORGOTTEN_AT_ONCE])
    for given in found:
        if given.file:
            storages[STORAGE].delete(given.file)
        _empty(given)
    return len(found)


def forget_files_about(names: Collection[str]) -> int:
    """Delete the files, and the cells that were wrong in them, that say one of ``names``; how many imports that were.

    Such a file has to be handed in anew without them. Needs a transaction: files go once it commits.
    """
    about = [given for given in CustomerImport.objects.filter(_HOLDS).order_by("pk") if _tells_of(given, names)]
    for given in about:
        forget_file(given)
    return len(about)


def forget_file(given: CustomerImport) -> None:
    """Delete what is kept of a file beside what came of it, once the transaction commits."""
    if given.file:
        transaction.on_commit(partial(storages[STORAGE].delete, given.file))
    _empty(given)


def _empty(given: CustomerImport) -> None:
    given.file = ""
    if given.report:
        given.report["first_faults"] = []
    given.save(update_fields=["file", "report"])


def _tells_of(given: CustomerImport, names: Collection[str]) -> bool:
    told = json.dumps(given.report, ensure_ascii=False)
    if tells_of(io.BytesIO(told.encode()), names):
        return True
    try:
        with open_file(given) as file:
            return tells_of(file, names)
    except FileNotFoundError:
        return False
