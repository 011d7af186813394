"""The processes that `manage.py run` keeps alive, with small real children, and once the command itself."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from backoffice.lib import processes
from backoffice.lib.embedded.places import REPOSITORY
from backoffice.lib.processes import Child, RunError, Supervisor, sole_run
from backoffice.lib.tests.test_embedded import an_install

IS_LINUX = sys.platform == "linux"
SAY_WHEN_STOPPED = """
import signal, sys, time
def stop(*_):
    with open(sys.argv[1], "a") as order:
        order.write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, subprocess, time
for number in (signal.SIGTERM, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((processes.HOST, 0))
        return probe.getsockname()[1]


def python(folder: Path, name: str, code: str, *arguments: str) -> Child:
    return Child(name, [sys.executable, "-c", code, *arguments], folder / f"{name}.log")


@contextmanager
def supervised(folder: Path, *children: Child) -> Iterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    (folder / "locks").mkdir()
    supervisor = Supervisor(children, data_dir=folder, cwd=folder, environ=os.environ, say=said.append)
    try:
        supervisor.start()
        yield supervisor, said
    finally:
        supervisor.stop()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(processes, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(processes, "FIRST_PAUSE_SECONDS", 0.01)


def test_a_child_that_dies_is_started_again_and_said_so(tmp_path):
    with supervised(tmp_path, python(tmp_path, "web", "import time; print('up', flush=True); time.sleep(60)")) as (
        supervisor,
        said,
    ):
        child = supervisor._children[0]
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        supervisor.watch(lambda: None, until=lambda: child.process is not None and child.process.pid != first)
        assert said == [f"web ended (SIGKILL), starting it again in 0.01 s; see {tmp_path / 'web.log'}"]


def test_a_child_that_keeps_dying_ends_the_run_with_its_last_words(tmp_path):
    with supervised(tmp_path, python(tmp_path, "beat", "raise SystemExit('no schedule')")) as (supervisor, said):
        with pytest.raises(RunError, match=r"beat ended 5 times within a minute(.|\n)*no schedule"):
            supervisor.watch(lambda: None)
        assert len(said) == 4


def test_children_stop_in_reverse_order(tmp_path):
    order = tmp_path / "order"
    children = [python(tmp_path, name, SAY_WHEN_STOPPED, str(order), name) for name in "abc"]
    with supervised(tmp_path, *children):
        wait_for(lambda: all("up" in child.log.read_text() for child in children))
    assert order.read_text() == "cba"


def test_a_child_that_does_not_stop_is_killed_with_its_own_children(tmp_path):
    child = python(tmp_path, "worker", STUBBORN)
    with supervised(tmp_path, child) as (supervisor, _):
        wait_for(lambda: child.log.read_text().endswith("\n"))
        pids = (child.process.pid, int(child.log.read_text()))
        supervisor.stop(grace=0.1)
    wait_for(lambda: all(gone(pid) for pid in pids))


RUN_AND_BE_KILLED = """
import os, sys, time
from pathlib import Path
from backoffice.lib.processes import Child, Supervisor, sole_run
folder = Path(sys.argv[1])
with sole_run(folder, 0):
    child = Child("web", [sys.executable, "-c", "import time; time.sleep(60)", "backoffice"], folder / "web.log")
    supervisor = Supervisor([child], data_dir=folder, cwd=folder, environ=os.environ, say=print)
    supervisor.start()
    print(child.process.pid, flush=True)
    time.sleep(60)
"""


def test_a_killed_run_leaves_no_child_in_the_way_of_the_next(tmp_path):
    command = [sys.executable, "-c", RUN_AND_BE_KILLED, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as run:
        child = int(run.stdout.readline())
        run.kill()
    if IS_LINUX:
        wait_for(lambda: gone(child))
    with sole_run(tmp_path, free_port()):
        assert gone(child)


@contextmanager
def leftover(folder: Path, *arguments: str) -> Iterator[int]:
    """A process that the register of a killed run names."""
    (folder / "locks").mkdir(exist_ok=True)
    command = [sys.executable, "-c", "import time; time.sleep(60)", *arguments]
    with subprocess.Popen(command, start_new_session=True) as process:
        with (folder / "locks" / "run").open("a") as register:
            register.write(f"{process.pid} {psutil.Process(process.pid).create_time()}\n")
        yield process.pid
        process.kill()


def test_what_a_killed_run_left_is_stopped_but_a_stranger_with_its_number_is_not(tmp_path):
    with (
        leftover(tmp_path, "backoffice.wsgi") as ours,
        leftover(tmp_path, "something else") as stranger,
        sole_run(tmp_path, free_port()),
    ):
        left = (gone(ours), gone(stranger))
    assert left == (True, False)


def test_one_data_directory_is_run_once(tmp_path):
    with (
        sole_run(tmp_path, free_port()),
        pytest.raises(RunError, match="already being run"),
        sole_run(tmp_path, free_port()),
    ):
        pass
    with sole_run(tmp_path, free_port()):
        pass


def test_a_taken_port_is_said_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind((processes.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RunError, match=rf"^port {port} is not free .*$"), sole_run(tmp_path, port):
            pass


@pytest.mark.parametrize(
    ("arguments", "environ", "port"),
    [
        ([], {}, 8000),
        ([], {"PORT": ""}, 8000),
        ([], {"PORT": "8001"}, 8001),
        (["--no-demo", "--port", "8002"], {"PORT": "8001"}, 8002),
        (["--port=8003"], {}, 8003),
    ],
)
def test_the_port_is_the_argument_else_the_environments_else_8000(arguments, environ, port):
    assert processes.port(arguments, environ) == port


@contextmanager
def a_run(data_dir: Path, port: int) -> Iterator[subprocess.Popen]:
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ |= {"BACKOFFICE_DATA_DIR": str(data_dir)}
    command = [sys.executable, "manage.py", "run", "--no-demo", "--port", str(port)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environ, **streams) as run:
        try:
            yield run
        finally:
            run.terminate()


def test_run_serves_the_product_and_ends_well_on_ctrl_c():
    with an_install() as install, a_run(install.data_dir, port := free_port()) as run:
        said = "".join(until_ready(run))
        assert f"http://127.0.0.1:{port}/admin/" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/") as answer:
            assert answer.headers["Set-Cookie"].startswith(f"csrftoken_{port}=")
        family = psutil.Process(run.pid).children(recursive=True)
        ours = [process for process in family if re.search("granian|celery", " ".join(process.cmdline()))]
        assert len(ours) >= 5
        assert not any("backoffice_owner" in str(process.environ()) for process in ours)
        worker = install.data_dir / "log" / "worker.log"
        wait_for(lambda: "ready." in worker.read_text())

        run.send_signal(signal.SIGINT)
        said += run.stdout.read()
        assert (run.wait(), "Traceback" in said) == (0, False)
        assert "superuser" not in worker.read_text()
        wait_for(lambda: all(gone(process.pid) for process in family))
        assert (install.postgres(), install.redis()) == (None, None)


def until_ready(run: subprocess.Popen) -> Iterator[str]:
    for line in run.stdout:
        yield line
        if line.startswith("Ready in"):
            return
