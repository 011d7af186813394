"""A nudge is a hint: it goes out after the commit, and when it cannot, nobody waits and nobody fails."""

import contextlib
import socket
import threading

import pytest
from celery import Celery
from django.db import transaction

from backoffice.lib.nudge import nudge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task_at():
    """A task whose broker is at an address."""

    def make(address):
        app = Celery("nudged", broker=address, set_as_current=False)

        @app.task(name="nudged.task", shared=False)
        def nudged(row):
            raise AssertionError("no worker runs here")

        return nudged

    return make


class Server:
    """A port that takes connections, counts them, and either never answers or hangs up."""

    def __init__(self, *, hangs_up):
        self.hangs_up = hangs_up
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.connections:
            connection.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                if self.hangs_up:
                    connection.close()


def lost(caplog):
    return [record for record in caplog.records if "nudge_lost" in record.getMessage()]


def test_without_a_socket_the_nudge_is_given_up_and_logged(task_at, tmp_path, caplog):
    with transaction.atomic():
        nudge(task_at(f"redis+socket://{tmp_path}/absent.sock"), 1)
    assert len(lost(caplog)) == 1


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_broker_that_does_not_answer_is_tried_once(task_at, caplog, hangs_up):
    with Server(hangs_up=hangs_up) as server:
        with transaction.atomic():
            nudge(task_at(server.address), 1)
        assert len(server.connections) == 1
    assert len(lost(caplog)) == 1


def test_a_nudge_waits_for_the_commit_and_dies_with_a_rollback(task_at):
    task = task_at("memory://")
    with task.app.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        with transaction.atomic():
            nudge(task, 7)
            assert queue.qsize() == 0
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            nudge(task, 8)
            1 / 0  # noqa: B018
        assert queue.get(block=False).payload[0] == [7]
        assert queue.qsize() == 0
