"""A program at the product's API."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts import services
from tests.factories import StaffFactory


def key(*scopes: str, staff=None) -> str:
    """The secret of a new key."""
    scopes = scopes or ("ingest",)
    if staff is None and "ingest" not in scopes:
        staff = StaffFactory()
    return services.create_api_key(name="test", scopes=scopes, staff=staff, actor=None).secret


@dataclass
class Program:
    """Sends JSON with a key; a failure of ours is an answer, not an exception of the test."""

    secret: str | None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.secret is not None:
            headers.setdefault("Authorization", f"Bearer {self.secret}")
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1/{path}", data, content_type="application/json", headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)


def code_of(response: Any) -> str:
    """The code inside the envelope, whose shape is checked on the way."""
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "details"}, body
    assert body["error"]["message"]
    return body["error"]["code"]
