"""The inside of a client process: `python -m benchmarks.child MODULE` answers to the COMMANDS of that module.

A request is a line of JSON on standard input, the answer a line on standard output. The peer runs it too, in its own
environment: nothing but Django may be imported here.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import django


def answer(commands: Mapping[str, Callable[..., Any]]) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(commands[request["command"]](**request["arguments"])) + "\n")
        sys.stdout.flush()


def run_for(seconds: float, start_at: float, act: Callable[[], object]) -> dict[str, float]:
    """Do ``act`` again and again from ``start_at`` (Unix time), when the others start too."""
    time.sleep(max(0.0, start_at - time.time()))
    started = now = time.perf_counter()
    count = 0
    while now < started + seconds:
        act()
        count += 1
        now = time.perf_counter()
    return {"count": count, "seconds": now - started}


if __name__ == "__main__":
    django.setup()
    answer(import_module(sys.argv[1]).COMMANDS)
