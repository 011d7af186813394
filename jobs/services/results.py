"""Files that jobs leave to be downloaded: kept for some days, out of reach of any address but the job's own."""

import secrets
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import IO

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction

from backoffice.lib import clock
from backoffice.lib.traces import tells_of
from jobs.models import Job

KEPT = timedelta(days=7)
STORAGE = "results"
FORGOTTEN_AT_ONCE = 200


@contextmanager
def writing(job: Job, name: str) -> Iterator[IO[bytes]]:
    """A file for the result of ``job``, offered as ``name`` once the block is through; nothing is left of a failure."""
    storage = storages[STORAGE]
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        if job.result_file:
            # Of a worker that was lost before the job had ended.
            storage.delete(job.result_file)
        # Noted before there is a file: whenever a worker is lost, no file is left that nobody knows of. The folder is
        # new, so the storage keeps the name; and nobody guesses it, should the storage ever be served by mistake.
        job.result_file, job.result_name = f"{job.pk}-{secrets.token_hex(8)}/{name}", name
        job.result_until = clock.now() + KEPT
        job.save(update_fields=["result_file", "result_name", "result_until"])
        storage.save(job.result_file, File(file))


def open_result(job: Job) -> IO[bytes]:
    """The result's bytes. Raises FileNotFoundError when it is gone."""
    return storages[STORAGE].open(job.result_file)


def forget_old_results() -> int:
    """Delete the files whose time is over; how many."""
    old = Job.objects.filter(result_until__lte=clock.now()).order_by("result_until")[:FORGOTTEN_AT_ONCE]
    for job in old:
        storages[STORAGE].delete(job.result_file)
        _forget(job)
    return len(old)


def forget_results_about(names: Collection[str]) -> int:
    """Delete the files that say one of ``names`` once the transaction commits; how many. Whoever needs one has it made
    anew.
    """
    about = [job for job in Job.objects.exclude(result_file="").order_by("pk") if _tells_of(job, names)]
    for job in about:
        transaction.on_commit(partial(storages[STORAGE].delete, job.result_file))
        _forget(job)
    return len(about)


def _tells_of(job: Job, names: Collection[str]) -> bool:
    try:
        with open_result(job) as file:
            return tells_of(file, names)
    except FileNotFoundError:
        return False


def _forget(job: Job) -> None:
    job.result_file, job.result_until = "", None
    job.save(update_fields=["result_file", "result_until"])
