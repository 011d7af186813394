"""Everything on one machine: database prepared, demo data on the first run, then web, worker and beat."""

import http.client
import io
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from backoffice.lib import embedded, environment, processes
from backoffice.lib.processes import HOST, Child, RunError, Supervisor

DEMO_EMAIL, DEMO_SUPPORT = "admin@example.com", "maya.lindqvist@example.com"
# What the operator may do, web and workers may not. Empty, not absent: a .env file would fill an absent one in.
OPERATOR_ONLY = {"DATABASE_OWNER_URL": "", "DATABASE_READONLY_URL": ""}
# Celery warns of root because of pickled messages; ours are JSON, and worker and web run as the same user.
NO_ROOT_WARNING = "ignore:You're running the worker with superuser privileges:Warning"
PATIENCE_SECONDS = 60.0
# While it starts there is no work to finish, and Granian does not hear SIGTERM.
UNREADY_GRACE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Set up the database and serve the back office with its worker and beat on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        processes.add_port_option(parser, os.environ)
        parser.add_argument("--no-demo", action="store_true", help="no demo data on the first run")

    def handle(self, *, port: int, no_demo: bool, **options: Any) -> None:
        self.say("Preparing the database")
        prepare_database()
        call_command("collectstatic", interactive=False, verbosity=0)
        if not no_demo and wants_demo():
            self.say("Making demo data (once)")
            call_command("seed_demo")
        connections.close_all()
        try:
            self.serve(port)
        except RunError as error:
            raise CommandError(str(error)) from None

    def serve(self, port: int) -> None:
        """Until a signal or an error ends it."""
        environ = {**os.environ, **OPERATOR_ONLY, "PORT": str(port)}
        data_dir, code = settings.DATA_DIR, settings.BASE_DIR
        supervisor = Supervisor(children(port), data_dir=data_dir, cwd=code, environ=environ, say=self.say)
        grace = UNREADY_GRACE_SECONDS
        try:
            supervisor.start()
            supervisor.watch(self.tend, until=Healthy(port))
            self.welcome(port)
            grace = processes.GRACE_SECONDS
            supervisor.watch(self.tend)
        finally:
            try:
                self.say("Stopping")
            finally:
                # Even when the terminal is gone and nothing can be said.
                supervisor.stop(grace)

    def tend(self) -> None:
        try:
            embedded.revive(os.environ, say=self.say)
        except embedded.EmbeddedError as error:
            self.say(str(error))

    def welcome(self, port: int) -> None:
        took = time.time() - psutil.Process().create_time()
        self.say(f"\nReady in {took:.1f} s: http://{HOST}:{port}/admin/")
        password = Path(settings.DATA_DIR) / "secrets" / "demo-password"
        if password.exists():
            self.say(f"Demo login: {DEMO_EMAIL}  password: {password.read_text().strip()}")
            self.say(f"The same password shows what other roles see: {DEMO_SUPPORT} is support, Staff has the others")
        elif not get_user_model().objects.filter(is_staff=True).exists():
            self.say("No staff yet: .venv/bin/python manage.py createsuperuser makes the first")
        self.say(f"Logs: {log_folder()}   Stop: Ctrl-C\n")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


class Healthy:
    """Asked again and again, says whether the web process answers; gives up with RunError after a while."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def __call__(self) -> bool:
        if time.monotonic() > self._deadline:
            log = log_folder() / "web.log"
            raise RunError(f"the web process does not answer; {log} says:\n{embedded.tail(log)}")
        connection = http.client.HTTPConnection(HOST, self._port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def prepare_database() -> None:
    """Roles and tables, by the owner where its address is known."""
    call_command("setup_database", stdout=io.StringIO())
    call_command("migrate", database="owner" if "owner" in settings.DATABASES else "default", verbosity=0)


def wants_demo() -> bool:
    """Only where nothing is real: no production, and nobody yet, neither customers nor staff."""
    if environment.name(os.environ) == "production":
        return False
    return not get_user_model().objects.exists()


def children(port: int) -> list[Child]:
    """In the order in which they start; they stop in the reverse one."""
    celery = [sys.executable, "-W", NO_ROOT_WARNING, "-m", "celery", "-A", "backoffice"]
    schedule = Path(settings.DATA_DIR) / "beat-schedule"
    web = f"--interface wsgi --host {HOST} --port {port} --workers 2 --blocking-threads 4 --no-ws"
    keep = "--respawn-failed-workers --workers-kill-timeout 10 --backlog 1024"
    commands = {
        "worker": [
            *celery,
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "INFO",
            "--without-gossip",
            "--without-mingle",
        ],
        "web": [sys.executable, "-m", "granian", *web.split(), *keep.split(), "backoffice.wsgi:application"],
        "beat": [*celery, "beat", "--loglevel", "INFO", "--schedule", str(schedule), "--pidfile="],
    }
    return [Child(name, command, log_folder() / f"{name}.log") for name, command in commands.items()]


def log_folder() -> Path:
    folder = Path(settings.DATA_DIR) / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
