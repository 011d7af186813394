"""The embedded servers, for real: each test starts and stops PostgreSQL and Redis in a folder of its own."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import environ
import psutil
import psycopg
import pytest

from backoffice.lib import embedded
from backoffice.lib.embedded import binaries, processes
from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.places import REPOSITORY, Places, private_folder
from backoffice.lib.embedded.postgres import Postgres
from backoffice.lib.embedded.redis import Redis

IS_ROOT = os.geteuid() == 0
A_USER_OF_THE_SERVERS = """
import sys
from pathlib import Path
from backoffice.lib import embedded
with embedded.running(Path(sys.argv[1]), postgres=True, redis=True, say=lambda line: None):
    print("in", flush=True)
    sys.stdin.read()
"""


@dataclass
class Install:
    """One data directory and the servers that are found running for it."""

    data_dir: Path

    def running(self):
        return embedded.running(self.data_dir, postgres=True, redis=True, say=lambda line: None)

    @property
    def places(self) -> Places:
        return Places.at(self.data_dir)

    def postgres(self) -> psutil.Process | None:
        return Postgres(self.places, print).find()

    def redis(self) -> psutil.Process | None:
        return Redis(self.places, print).find()

    @contextmanager
    def another_user(self) -> Iterator[subprocess.Popen]:
        """A process of its own that uses the servers until its standard input is closed."""
        with subprocess.Popen(
            [sys.executable, "-c", A_USER_OF_THE_SERVERS, str(self.data_dir)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as user:
            assert user.stdout.readline() == "in\n"
            yield user

    def remove(self) -> None:
        for server in (self.postgres(), self.redis()):
            if server is not None:
                server.kill()
        for folder in (self.data_dir, self.places.relocated_home, self.places.sockets):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def an_install(mode: int = 0o755) -> Iterator[Install]:
    parent = Path(tempfile.mkdtemp(prefix="backoffice-test-"))
    parent.chmod(mode)
    install = Install(parent / "var")
    try:
        yield install
    finally:
        install.remove()
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="module")
def install() -> Iterator[Install]:
    """One cluster for all tests that start and stop it: making one is what takes long."""
    with an_install() as shared:
        yield shared


def test_the_second_user_joins_and_the_last_one_out_stops_the_servers(install):
    with install.running():
        postgres, redis = install.postgres(), install.redis()
        # Sessions of their own: Ctrl-C in the first user's terminal must not reach them.
        assert [os.getsid(server.pid) for server in (postgres, redis)] == [postgres.pid, redis.pid]
        with install.another_user() as user:
            assert (install.postgres(), install.redis()) == (postgres, redis)
            user.stdin.close()
            user.wait()
        assert (install.postgres(), install.redis()) == (postgres, redis)
    assert install.postgres() is None
    assert install.redis() is None
    assert not processes.alive(postgres)


def test_the_first_user_may_leave_before_the_second(install):
    with install.another_user() as user:
        with install.running() as urls:
            user.stdin.close()
            user.wait()
            psycopg.connect(urls.owner).close()
        assert install.postgres() is None


def test_a_killed_postmaster_is_replaced_by_the_next_user_and_keeps_what_was_committed(install):
    with install.running() as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (at timestamptz DEFAULT now())")
            connection.execute("INSERT INTO kept DEFAULT VALUES")
        killed = install.postgres()
        killed.kill()
        killed.wait()
        with install.running():
            assert install.postgres() != killed
            with psycopg.connect(urls.owner) as connection:
                assert connection.execute("SELECT count(*) FROM kept").fetchone()[0] >= 1


def test_a_killed_redis_is_replaced_by_the_next_user(install):
    with install.running():
        killed = install.redis()
        killed.kill()
        killed.wait()
        with install.running():
            assert install.redis() is not None


def test_a_killed_user_leaves_servers_that_the_next_one_joins_and_stops(install):
    with install.another_user() as user:
        left = install.postgres()
        user.kill()
    assert processes.alive(left)
    with install.running():
        assert install.postgres() == left
    assert not processes.alive(left)


@contextmanager
def a_stranger(cwd: Path) -> Iterator[subprocess.Popen]:
    """A process that has nothing to do with us, and lives while this is entered."""
    with subprocess.Popen(["sleep", "60"], cwd=cwd) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("named", ["postgres/postmaster.pid", "run/redis.pid"])
def test_a_stale_pid_file_is_not_believed_and_the_process_it_names_is_left_alone(install, named):
    with install.running():
        pass
    with a_stranger(cwd=install.data_dir) as stranger:
        (install.places.home / named).write_text(f"{stranger.pid}\n{install.places.cluster}\n")
        with install.running() as urls:
            psycopg.connect(urls.owner).close()
            assert install.redis().pid != stranger.pid
        assert stranger.poll() is None


def test_a_strange_process_that_works_in_the_cluster_is_refused_not_overrun(install):
    with install.running():
        pass
    with a_stranger(cwd=install.places.cluster) as stranger:
        pid_file = install.places.cluster / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n")
        with pytest.raises(EmbeddedError, match=f"process {stranger.pid}"), install.running():
            pass
        assert stranger.poll() is None
    pid_file.unlink()


def test_a_caller_who_may_not_look_into_the_servers_processes_still_knows_them(install, monkeypatch):
    """Root of a container; an ordinary user's servers are always its own."""

    def denied(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    with install.running():
        known = install.postgres(), install.redis()
        for detail in ("exe", "cwd"):
            monkeypatch.setattr(psutil.Process, detail, denied)
        assert (install.postgres(), install.redis()) == (known if IS_ROOT else (None, None))
        monkeypatch.undo()


def test_two_data_directories_never_meet_and_a_half_made_cluster_is_made_anew(install):
    with an_install() as other:
        half_made = other.data_dir / "postgres-new-abandoned"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("18\n")
        with install.running():
            with other.running() as urls:
                assert other.postgres() != install.postgres()
                assert other.redis() != install.redis()
                psycopg.connect(urls.owner).close()
            assert other.postgres() is None
            assert install.postgres() is not None
        assert not half_made.exists()


def test_only_the_right_password_is_let_in(install):
    secrets = install.data_dir / "secrets"
    with install.running() as urls:
        for role in ("postgres", "backoffice_owner"):
            for password in ("", "password=wrong"):
                with pytest.raises(psycopg.OperationalError, match="password"):
                    psycopg.connect(f"host={install.places.sockets} dbname=backoffice user={role} {password}")
        with psycopg.connect(urls.owner) as connection:
            assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = user").fetchone() == (False,)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o600}
    assert stat.S_IMODE(install.places.sockets.stat().st_mode) == 0o700


def test_django_environ_reads_the_addresses(install):
    urls = embedded.urls(install.data_dir)
    assert environ.Env.db_url_config(urls.database) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "backoffice",
        "USER": "backoffice_app",
        "PASSWORD": (install.data_dir / "secrets" / "app-password").read_text().strip(),
        "HOST": "",
        "PORT": "",
        "OPTIONS": {"host": str(install.places.sockets)},
    }


def test_new_passwords_are_given_to_a_database_that_was_kept(install):
    with install.running():
        pass
    shutil.rmtree(install.data_dir / "secrets")
    with install.running() as urls, psycopg.connect(urls.owner) as owner:
        assert owner.execute("SELECT current_user").fetchone() == ("backoffice_owner",)


def test_programs_and_cluster_go_where_the_servers_account_reaches_and_no_folder_is_opened(monkeypatch, tmp_path):
    """Only root runs the servers as somebody else, so only for root anything moves."""
    tmp_path.chmod(0o700)
    (tmp_path / "packages").symlink_to(binaries._packages())
    monkeypatch.setattr(binaries, "_packages", lambda: tmp_path / "packages")
    with an_install(mode=0o700) as closed:
        with closed.running() as urls:
            psycopg.connect(urls.owner).close()
            home = closed.places.relocated_home if IS_ROOT else closed.data_dir
            programs = home if IS_ROOT else tmp_path
            assert closed.places.cluster == home / "postgres"
            assert (closed.data_dir / "database-at").exists() == IS_ROOT
            assert closed.postgres().cmdline()[0].startswith(str(programs))
            assert closed.postgres().uids().real != 0
        assert stat.S_IMODE(closed.data_dir.parent.stat().st_mode) == 0o700
        assert (closed.data_dir / "secrets").stat().st_uid == os.geteuid()


def test_a_cluster_stays_where_it_was_made_when_its_folder_is_opened_later():
    with an_install(mode=0o700) as moved:
        (moved.places.home / "postgres").mkdir(parents=True)
        made = moved.places.cluster
        moved.data_dir.parent.chmod(0o755)
        assert moved.places.cluster == made


def test_a_moved_directory_whose_cluster_is_elsewhere_is_told_so():
    with an_install() as moved:
        moved.data_dir.mkdir()
        (moved.data_dir / "database-at").write_text("/var/lib/backoffice-before\n")
        with pytest.raises(EmbeddedError, match="its database is in /var/lib/backoffice-before"):
            embedded.urls(moved.data_dir)
        (moved.data_dir / "database-at").unlink()


AS_NOBODY = """
import os, pwd, sys
from pathlib import Path
import psycopg
from backoffice.lib import embedded
from backoffice.lib.embedded import binaries
folder = Path(sys.argv[1])
binaries._copy_into(folder / "programs")
binaries._packages = lambda: folder / "programs"
nobody = pwd.getpwnam("nobody")
os.chown(folder, nobody.pw_uid, nobody.pw_gid)
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
with embedded.running(folder / "var", postgres=True, redis=True, say=lambda line: None) as urls:
    psycopg.connect(urls.owner).close()
    print((folder / "var" / "postgres").stat().st_uid == nobody.pw_uid)
"""


def test_an_ordinary_user_needs_no_privilege(tmp_path):
    """Not root: the other tests show it."""
    if IS_ROOT:
        with an_install() as install:
            folder = install.data_dir.parent
            shown = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(folder)], cwd=REPOSITORY, capture_output=True, text=True
            )
            assert shown.stdout == "True\n", shown.stderr


def test_a_socket_path_that_is_too_long_gives_way_to_a_short_private_one(install):
    with an_install() as deep:
        deep.data_dir = deep.data_dir.joinpath(*["deep" * 5] * 5)
        assert deep.places.sockets.parent == Path("/tmp")  # noqa: S108
        with embedded.running(deep.data_dir, postgres=False, redis=True) as urls:
            assert urls.redis == f"unix://{deep.places.sockets}/redis.sock"
            assert stat.S_IMODE(deep.places.sockets.stat().st_mode) == 0o700


@pytest.mark.parametrize("trap", ["open to others", "symlink", "file"])
def test_a_socket_folder_that_others_prepared_is_refused(install, tmp_path, trap):
    path = tmp_path / "run"
    if trap == "symlink":
        path.symlink_to(tmp_path)
    elif trap == "file":
        path.touch()
    else:
        path.mkdir()
        path.chmod(0o777)
    with pytest.raises(EmbeddedError, match="alone may enter"):
        private_folder(path, install.places.account)


def test_all_who_ask_at_once_get_the_same_secret(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: embedded.secret(tmp_path, "key"), range(32)))
    assert len(values) == 1
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["key"]


def test_a_log_is_cut_while_a_server_writes_to_it(tmp_path):
    log = tmp_path / "server.log"
    with log.open("ab", buffering=0) as server:
        server.write(b"old\n" * 1000)
        embedded.trim(log, limit=1000)
        server.write(b"new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "server.log.1").read_text() == "old\n" * 1000


def test_patience_speaks_only_now_and_then(monkeypatch):
    said = []
    patience = processes.Patience(said.append, "Waiting")
    patience.pause(0)
    assert said == []
    monkeypatch.setattr(processes, "REMIND_SECONDS", 0.0)
    patience.pause(0)
    assert said == ["Waiting, 0 s so far"]


def test_development_is_given_the_servers_it_does_not_name(install):
    variables = {"BACKOFFICE_DATA_DIR": str(install.data_dir), "REDIS_URL": "redis://elsewhere"}
    with embedded.provided(variables, say=print):
        urls = embedded.urls(install.data_dir)
        assert variables["DATABASE_URL"] == urls.database
        assert variables["DATABASE_OWNER_URL"] == urls.owner
        assert variables["REDIS_URL"] == "redis://elsewhere"
        # A child that finds DATABASE_URL set would take itself for production.
        assert variables["BACKOFFICE_ENV"] == "development"
        killed = install.postgres()
        killed.kill()
        killed.wait()
        embedded.revive(variables, say=print)
        psycopg.connect(urls.owner).close()
        assert install.redis() is None


def test_production_is_given_nothing(install):
    variables = {"BACKOFFICE_DATA_DIR": str(install.data_dir), "BACKOFFICE_ENV": "production"}
    given = dict(variables)
    with embedded.provided(variables, say=print):
        assert variables == given
        assert install.postgres() is None
