"""Stripe's lists as a server of our own: whole objects as tests put them there, page by page, and its troubles."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

SECRET_KEY = "sk_test_of_our_lists"
COLLECTIONS = (
    "events",
    "customers",
    "products",
    "prices",
    "subscriptions",
    "invoices",
    "payment_intents",
    "checkout/sessions",
    "refunds",
    "disputes",
)


@dataclass(frozen=True)
class Trouble:
    """What is answered instead, once."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class StripeLists:
    """What is listed by collection, newest first as Stripe does; what was asked; and troubles to come, by path."""

    url: str = ""
    # By Stripe's clock, in seconds since 1970; ours unless told.
    now: float | None = None
    page_size: int = 100
    objects: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLLECTIONS})
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, collection: str, *objects: Any) -> None:
        """Create these, the last one last; what is there already under its id changes."""
        for made in objects:
            listed = self.objects[collection]
            ids = [known.get("id") if isinstance(known, dict) else None for known in listed]
            named = made.get("id") if isinstance(made, dict) else None
            if named is not None and named in ids:
                listed[ids.index(named)] = made
            else:
                listed.insert(0, made)

    def trouble(self, collection: str, *troubles: Trouble) -> None:
        self.troubles.setdefault(f"/v1/{collection}", []).extend(troubles)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]

    def answer(self, path: str, query: dict[str, str]) -> Trouble:
        self.asked.append((path, query))
        if self.troubles.get(path):
            return self.troubles[path].pop(0)
        collection, _, named = path.removeprefix("/v1/").rpartition("/")
        if path.removeprefix("/v1/") in self.objects:
            return self._list(self.objects[path.removeprefix("/v1/")], query)
        found = [one for one in self.objects.get(collection, []) if one["id"] == named]
        return Trouble(200, body=found[0]) if found else _refusal(404, "id", "No such object")

    def _list(self, listed: list[Any], query: dict[str, str]) -> Trouble:
        found = [one for one in listed if all(_fits(one, name, value) for name, value in query.items())]
        start = 0
        if after := query.get("starting_after"):
            ids = [one.get("id") for one in found]
            if after not in ids:
                return _refusal(400, "starting_after", f"No such object: '{after}'")
            start = ids.index(after) + 1
        end = start + min(self.page_size, int(query.get("limit", 10)))
        page = {"object": "list", "data": found[start:end], "has_more": end < len(found)}
        return Trouble(200, body=page)


def _fits(one: Any, name: str, value: str) -> bool:
    if not isinstance(one, dict):
        return True
    if name == "created[gte]":
        return one.get("created", 0) >= int(value)
    return name not in ("customer", "payment_intent") or one.get(name) == value


def _refusal(status: int, param: str, message: str) -> Trouble:
    return Trouble(status, body={"error": {"type": "invalid_request_error", "param": param, "message": message}})


@contextmanager
def serving() -> Iterator[StripeLists]:
    """A server with empty lists."""
    lists = StripeLists()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body go out together, or each answer would wait 40 ms for the other side.
        wbufsize = 65_536

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            answer = lists.answer(asked.path, dict(parse_qsl(asked.query)))
            told = {"error": {"type": "api_error", "message": "As the test wants it"}}
            body = json.dumps(answer.body or told).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(lists.now or time.time(), usegmt=True)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    lists.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield lists
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def stripe_lists(settings: Any) -> Iterator[StripeLists]:
    """Stripe's lists, empty; our calls go there for the time of this test."""
    with serving() as lists:
        settings.STRIPE_SECRET_KEY = SECRET_KEY
        settings.STRIPE_API_BASE = lists.url
        yield lists
