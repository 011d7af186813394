"""What the product needs to be well, asked by /readyz."""

import redis
from django.conf import settings
from django.db import connection

from backoffice.lib.registry import HealthProbe, health_probes

TIMEOUT_SECONDS = 2


def database() -> None:
    """Raise when PostgreSQL does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def broker() -> None:
    """Raise when Redis does not answer."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS) as client:
        client.ping()


def register() -> None:
    """Offer the probes of the shell itself."""
    health_probes.register(HealthProbe(key="database", check=database, order=10))
    health_probes.register(HealthProbe(key="redis", check=broker, order=20))
