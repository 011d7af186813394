"""What the figures were measured on."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from benchmarks.database import Database
from tests import databases

TOLD = ("server_version", "synchronous_commit", "fsync", "shared_buffers")


def facts(database: Database) -> Iterator[tuple[str, str]]:
    """Name and value of what a reader has to know to compare."""
    yield "Processor", f"{os.cpu_count()} cores, {_processor()}"
    yield "Load average over the last 15 minutes, this run's own included", f"{os.getloadavg()[2]:.1f}"
    yield "Python", platform.python_version()
    with databases.owner_connection(database.name) as connection:
        for setting in TOLD:
            (value,) = connection.execute(f"SHOW {setting}").fetchone() or ["?"]
            yield "PostgreSQL" if setting == "server_version" else setting, value


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
