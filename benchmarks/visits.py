"""How long pages take, asked as a browser asks: through every middleware and view, in a client process."""

import time
from collections.abc import Iterable

from django.conf import settings
from django.test import Client

from accounts.models import StaffMember

VISITOR = "visitor@example.com"


def visitor() -> Client:
    """A super admin who is logged in."""
    # The names of static files come from a manifest that only a collected installation has.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    member, _ = StaffMember.objects.get_or_create(
        email=VISITOR, defaults={"is_staff": True, "is_superuser": True, "password": "!"}
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(member)
    return client


def times(client: Client, addresses: Iterable[str]) -> list[float]:
    """Milliseconds that each address took to answer."""
    return [_time(client, address) for address in addresses]


def _time(client: Client, address: str) -> float:
    started = time.perf_counter()
    response = client.get(address)
    milliseconds = (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")
    return milliseconds
