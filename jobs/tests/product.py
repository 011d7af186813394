"""The other side of a webhook, for tests: a server that answers as it is told and keeps what it got."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Product:
    """``answer`` writes to the handler what the product says; ``got`` are the bodies and headers that came."""

    answer: Callable[[BaseHTTPRequestHandler], None]
    url: str = ""
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)


def says(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


TAKEN = says(200, b"ok")


@contextmanager
def listening(answer: Callable[[BaseHTTPRequestHandler], None] = TAKEN) -> Iterator[Product]:
    product = Product(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            product.got.append((body, dict(self.headers)))
            # Who asked may have gone meanwhile.
            with contextlib.suppress(ConnectionError):
                product.answer(self)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    product.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield product
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
