"""Runs one management command, with the embedded servers around it where the environment names none."""

import os
import signal
import sys
from contextlib import ExitStack
from types import FrameType

from django.core.management import execute_from_command_line
from environ import Env

from backoffice.lib import configuration, embedded, processes
from backoffice.lib.embedded.places import REPOSITORY

HELP_OPTIONS = {"--help", "-h"}
HELP_COMMANDS = {"help", "version", "--version", *HELP_OPTIONS}


def main() -> None:
    """Exits with the command's code, and with one line where the environment does not let it run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    Env.read_env(REPOSITORY / ".env")
    if only_explains(sys.argv[1:]):
        execute_from_command_line(sys.argv)
        return
    # Before any server starts.
    if faults := configuration.faults(os.environ):
        sys.exit(f"backoffice: refusing to start: {'; '.join(faults)}")
    try:
        run_with_servers(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except (embedded.EmbeddedError, processes.RunError) as error:
        sys.exit(f"backoffice: {error}")


def only_explains(arguments: list[str]) -> bool:
    """Whether these arguments ask for help, for which no server has to run."""
    return not arguments or arguments[0] in HELP_COMMANDS or bool(HELP_OPTIONS.intersection(arguments))


def run_with_servers(command: str) -> None:
    with ExitStack() as stack:
        if command == "run":
            # Being stopped is how it ends well.
            exit_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, code=0)
            port = processes.port(sys.argv[2:], os.environ)
            stack.enter_context(processes.sole_run(embedded.data_dir(os.environ), port))
        else:
            interruptible()
            exit_on(signal.SIGTERM, code=128 + signal.SIGTERM)
        stack.enter_context(embedded.provided(os.environ, say=say))
        execute_from_command_line(sys.argv)


def say(line: str) -> None:
    """Not on standard output, which belongs to the command."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def interruptible() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt, as commands expect."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
