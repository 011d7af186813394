"""The anchor of single charges: a frozen script, run by the server's own pgbench."""

import os
import re
import subprocess
from pathlib import Path

from psycopg import conninfo

from backoffice.lib import embedded
from benchmarks.database import Database

ANCHOR = Path(__file__).with_name("anchor_charge.sql")
# Where libpq looks for what would show in a list of processes if it were an argument.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
}


def rate(database: Database, *, clients: int, seconds: float) -> float:
    """Transactions a second of the anchor, as the runtime role, prepared, over the same accounts."""
    answer = subprocess.run(
        _command(database, clients, seconds),
        env=os.environ | login(database.url),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    failed, tps = re.search(r"failed transactions: (\d+)", answer), re.search(r"^tps = ([\d.]+)", answer, re.MULTILINE)
    if failed is None or tps is None or int(failed[1]):
        raise RuntimeError(f"pgbench answered: {answer}")
    return float(tps[1])


def _command(database: Database, clients: int, seconds: float) -> list[str]:
    return [
        str(embedded.client("pgbench")),
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={clients}",
        f"--jobs={min(clients, os.cpu_count() or 1)}",
        f"--time={max(1, round(seconds))}",
        f"--file={ANCHOR}",
        f"--define=first={database.first}",
        f"--define=last={database.last}",
    ]


def login(url: str) -> dict[str, str]:
    """A database of an address, as libpq finds it in the environment."""
    login = conninfo.conninfo_to_dict(url)
    return {VARIABLES[key]: str(value) for key, value in login.items() if value is not None}
