"""Who asks: one of each role, by session on the pages and by key at the API."""

import json
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.shortcuts import resolve_url
from django.test import Client

from accounts.models import StaffMember, User
from accounts.services import create_api_key
from backoffice.default_roles import DEFAULT_ROLES
from tests.factories import CustomerFactory, StaffFactory

LOGIN = "login"


@dataclass
class Asker:
    """Somebody with the rights of a column of the matrix."""

    name: str
    client: Client
    headers: dict[str, str]

    def status_of(self, method: str, path: str, body: Any = None) -> str:
        """What the address answers to an empty form, or to ``body`` as JSON; whatever the request did is undone."""
        cookies = self.client.cookies.output(header="")
        content_type = "application/x-www-form-urlencoded" if body is None else "application/json"
        data = b"" if body is None else json.dumps(body).encode()
        with transaction.atomic():
            response = self.client.generic(method, path, data, content_type=content_type, headers=self.headers)
            if response.streaming:
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
        self.client.cookies = SimpleCookie(cookies)
        sent_to_login = response.status_code == 302 and response["Location"].startswith(resolve_url(settings.LOGIN_URL))
        return LOGIN if sent_to_login else str(response.status_code)


def askers() -> list[Asker]:
    """From nobody to the super admin, and the product with its key."""
    members = {"no role": StaffFactory(), "viewer": StaffFactory()}
    # Whoever may look at everything and do nothing.
    members["viewer"].user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    for role in DEFAULT_ROLES:
        members[role] = StaffFactory()
        members[role].groups.add(Group.objects.get(name=role))
    members["super admin"] = StaffFactory(is_superuser=True)
    return [
        Asker("nobody", _client(), {}),
        Asker("customer", _client(CustomerFactory()), {}),
        *(Asker(name, _client(member), _key(member)) for name, member in members.items()),
        Asker("product", _client(), _bearer(["ingest"], None)),
    ]


def _client(user: User | None = None) -> Client:
    client = Client(raise_request_exception=False)
    if user:
        sign_in(client, user)
    return client


def sign_in(client: Client, user: User) -> None:
    """Everything that a session needs for its owner to be let in."""
    client.force_login(user)


def _key(member: StaffMember) -> dict[str, str]:
    return _bearer(["read", "admin"], member)


def _bearer(scopes: list[str], staff: StaffMember | None) -> dict[str, str]:
    secret = create_api_key(name="matrix", scopes=scopes, staff=staff, actor=None).secret
    return {"Authorization": f"Bearer {secret}"}
