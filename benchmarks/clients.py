"""Client processes as the benchmark sees them: real ones, each with an interpreter and a connection of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
# Long enough for the last of them to have read when to start.
HEAD_START_SECONDS = 0.1


class ClientFailed(Exception):
    """A client process ended instead of answering; what it had to say is on standard error."""


class Client:
    """One process that answers to the COMMANDS of a module; see ``benchmarks.child``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(self, command: str, **arguments: Any) -> Any:
        """Have it run one command and return the answer. Raises ClientFailed."""
        self.ask(command, **arguments)
        return self.answer()

    def ask(self, command: str, **arguments: Any) -> None:
        assert self._process.stdin  # noqa: S101 (opened as a pipe below)
        self._process.stdin.write(json.dumps({"command": command, "arguments": arguments}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout  # noqa: S101 (opened as a pipe below)
        line = self._process.stdout.readline()
        if not line:
            raise ClientFailed(" ".join(map(str, self._process.args)))  # type: ignore[arg-type]
        return json.loads(line)


@contextmanager
def client(module: str, environment: Mapping[str, str], python: str = sys.executable) -> Iterator[Client]:
    """A process that answers to ``module``, ended with the block."""
    with subprocess.Popen(
        [python, "-m", "benchmarks.child", module],
        env=environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Client(process)
        finally:
            process.stdin and process.stdin.close()


@contextmanager
def clients(
    number: int, module: str, environment: Mapping[str, str], python: str = sys.executable
) -> Iterator[list[Client]]:
    """``number`` such processes."""
    with ExitStack() as stack:
        yield [stack.enter_context(client(module, environment, python)) for _ in range(number)]


def rate(group: Sequence[Client], command: str, *, seconds: float, **arguments: Any) -> float:
    """How often a second all of them together did what ``command`` does, with ``arguments``, all at the same time."""
    start_at = time.time() + HEAD_START_SECONDS
    for one in group:
        one.ask(command, seconds=seconds, start_at=start_at, **arguments)
    answers = [one.answer() for one in group]
    return sum(answer["count"] / answer["seconds"] for answer in answers)
