"""Exports of the running product: readers that go away, that are slow, and a database that is lost on the way."""

import http.client
import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from backoffice.lib import csv, embedded

# Large entries of the audit log: few rows that are many bytes, more than any buffer on the way holds.
FILL = """
from django.db import connection
connection.cursor().execute('''
    INSERT INTO audit_auditentry (at, actor_label, action, resource_type, resource_id, resource_label, old_values,
                                  new_values, reason, user_agent, request_id)
    SELECT now(), 'system', 'record.change', 'test.thing', n::text, '', '{}', jsonb_build_object(
        'text', (SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 500) AS m)), '', '', ''
    FROM generate_series(1, 3000) AS n''')
"""


@pytest.fixture(scope="module")
def key(stack):
    stack.manage("shell", "--no-imports", "-c", FILL)
    made = stack.manage("create_api_key", "--name", "export", "--scope", "read", "--staff", "grace@example.com")
    return made.splitlines()[-1]


@pytest.fixture
def database(stack):
    url = embedded.urls(stack.data_dir).database
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def copying(database):
    """The backends that are writing a file just now."""
    running = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY (%%' AND pid <> %s"
    return [pid for (pid,) in database.execute(running, [database.info.backend_pid])]


def until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def link(stack, key):
    """A connection with small buffers that has asked for the audit log and read the first bytes of it."""
    address = urlsplit(stack.url)
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect((address.hostname, address.port))
    link.sendall(
        f"GET /api/v1/admin/export/audit HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {key}\r\n\r\n".encode()
    )
    assert link.recv(12) == b"HTTP/1.1 200"
    with link:
        yield link


def whole_file(stack, key):
    address = urlsplit(stack.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    with closing(connection):
        connection.request("GET", "/api/v1/admin/export/audit", headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().read()


def test_a_reader_who_goes_away_frees_the_connection(stack, key, link, database):
    until(lambda: copying(database))
    time.sleep(1)
    assert copying(database), "the file fits the buffers on the way: make it larger"
    link.close()
    until(lambda: not copying(database))
    assert len(whole_file(stack, key).splitlines()) > 3000


def test_a_file_that_breaks_off_says_so_in_its_last_line(stack, key, link, database):
    until(lambda: copying(database))
    [backend] = copying(database)
    database.execute("SELECT pg_terminate_backend(%s)", [backend])
    link.settimeout(30)
    got = bytearray()
    while part := link.recv(65536):
        got += part
        if csv.BROKEN_OFF in got:
            break
    assert csv.BROKEN_OFF in got
    assert csv.BROKEN_OFF not in whole_file(stack, key)
