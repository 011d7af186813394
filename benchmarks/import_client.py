"""People by the import of customers, and by COPY into the same table. Runs in a client process."""

import io
import itertools
import os
import time

import psycopg
from django.core.files import File

from imports import services

_files = itertools.count()
HEADER = "email,external_id,full_name,plan,country,signup_source,created_at,character_count,stripe_customer_id"
OPENING = ",opening_balance,opening_value_minor,opening_currency,opening_expires_at"
COPY = """
COPY accounts_user (email, external_id, full_name, plan, country, signup_source, date_joined, character_count,
                    stripe_customer_id, password, avatar, status, status_reason, referral_code, demo_mode, is_staff,
                    is_superuser, created_at, updated_at) FROM STDIN (FORMAT csv, NULL 'null')
"""


def _people(number: int) -> list[str]:
    """Lines of people who are nobody's yet."""
    file = next(_files)
    return [
        f'p{n}.{file}@example.com,x_{file}_{n},"Person, {n}",pro,DE,newsletter,2024-03-01T09:30:00Z,3,cus_{file}x{n}'
        for n in range(number)
    ]


def imported(number: int, has_balances: bool) -> float:
    """Seconds from the bytes of a file to the committed customers."""
    more = ",100,999,USD,2090-01-01" if has_balances else ""
    lines = [HEADER + (OPENING if has_balances else ""), *(line + more for line in _people(number))]
    body = io.BytesIO("\n".join(lines).encode())
    started = time.perf_counter()
    given = services.keep_file(file=File(body), name="people.csv", actor=None, reason="benchmark", stored=False)
    body.seek(0)
    report = services.import_file(given=given, file=body, actor=None, tell=lambda done, total: None)
    seconds = time.perf_counter() - started
    if report.new != number:
        raise RuntimeError(f"imported: {report.summary()}")
    return seconds


def copied(number: int) -> float:
    """Seconds of one COPY of the same, from text that was rendered before; triggers and indexes do their work."""
    moment = "2026-01-01T00:00:00Z"
    text = "".join(f"{line},!,,active,,C{os.urandom(7).hex()},f,f,f,{moment},{moment}\n" for line in _people(number))
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        with cursor.copy(COPY) as copy:
            copy.write(text)
        connection.commit()
        return time.perf_counter() - started


COMMANDS = {"imported": imported, "copied": copied}
