#!/usr/bin/env python
"""The operator's door: every command, with the embedded servers around it where none are named."""

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from django.core.management import execute_from_command_line
from environ import Env

from backoffice.lib import embedded, environment, processes

HELP = {"help", "version", "--help", "-h", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    Env.read_env(Path(__file__).with_name(".env"))
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if HELP.intersection(sys.argv[1:]) or command == "help":
        execute_from_command_line(sys.argv)
        return
    try:
        environment.name(os.environ)
    except ValueError as error:
        sys.exit(f"backoffice: {error}")
    try:
        with_servers(command)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except (embedded.EmbeddedError, processes.RunError) as error:
        sys.exit(f"backoffice: {error}")


def with_servers(command: str) -> None:
    exit_on(signal.SIGTERM, code=128 + signal.SIGTERM)
    with ExitStack() as stack:
        if command == "run":
            # Being stopped is how it ends well.
            exit_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, code=0)
            port = processes.port(sys.argv[2:], os.environ)
            stack.enter_context(processes.sole_run(embedded.data_dir(os.environ), port))
        stack.enter_context(embedded.provided(os.environ, say=say))
        execute_from_command_line(sys.argv)


def say(line: str) -> None:
    """Not on standard output, which belongs to the command."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def exit_on(*signals: signal.Signals, code: int) -> None:
    """Unwind on the first of these signals, so that servers are stopped, and let no second one interrupt that."""
    # One that our caller told us to ignore (nohup) stays ignored.
    heard = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]

    def unwind(number: int, frame: FrameType | None) -> None:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        sys.exit(code)

    for number in heard:
        signal.signal(number, unwind)


if __name__ == "__main__":
    main()
