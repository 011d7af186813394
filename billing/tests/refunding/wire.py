"""A wire to Stripe on which things go wrong: calls that never arrive, answers that get lost, refusals."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests


class Wire:
    """Passes calls on to a Stripe at ``url``, unless told of a fault. ``calls`` are those that came: method and path.

    ``fault`` is ``lost call`` (it never arrives), ``lost answer`` (it arrives, the answer does not), or what is
    answered instead: a status with the error object. ``before`` is called with each call before it is passed on.
    """

    def __init__(self, url: str) -> None:
        self.url, self.calls = url, []
        self.fault: str | tuple[int, dict[str, Any]] = ""
        self.before = lambda: None

    def made(self) -> int:
        """How often a refund was asked for."""
        return self.calls.count(("POST", "/v1/refunds"))


@contextmanager
def wire_to(url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to the Stripe at ``url``, and its own address."""
    wire = Wire(url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(wire))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield wire, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on("GET")

        def do_POST(self) -> None:
            self._pass_on("POST")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test looks at ``calls``."""

        def _pass_on(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            wire.calls.append((method, self.path.partition("?")[0]))
            wire.before()
            if wire.fault == "lost call":
                return self._hang_up()
            if isinstance(wire.fault, tuple):
                return self._answer(wire.fault[0], json.dumps(wire.fault[1]).encode())
            kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            answer = requests.request(method, wire.url + self.path, data=body, headers=kept, timeout=10)
            if wire.fault == "lost answer":
                return self._hang_up()
            return self._answer(answer.status_code, answer.content)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
