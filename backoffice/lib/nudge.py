"""Tells a worker that a row waits for it. Redis only carries the hint: what a lost one left, a sweep finds."""

from functools import cache, partial
from typing import Any

import structlog
from celery import Celery, Task, current_app
from django.db import transaction
from kombu import pools
from kombu.exceptions import KombuError
from kombu.pools import ProducerPool
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# Celery by itself tries for seconds, or for ever, while whoever waits for the answer pays. A hint is tried once.
GIVE_UP_AT_ONCE = {"max_retries": 0, "interval_start": 0, "socket_connect_timeout": 0.5, "socket_timeout": 0.5}


def nudge(task: Task[Any, Any] | str, *args: int | str) -> None:
    """Send ``task`` with ``args`` once the transaction commits; without a broker log a warning and go on.

    A service, which tasks stand above, names its task.
    """
    app, name = (current_app, task) if isinstance(task, str) else (task.app, task.name)
    transaction.on_commit(partial(_send, app, name, args))


def _send(app: Celery, name: str, args: tuple[int | str, ...]) -> None:
    try:
        with _producers(app, app.conf.broker_url).acquire(block=True, timeout=1) as producer:
            app.send_task(name, args=args, producer=producer, retry=False)
    except (KombuError, RedisError, OSError) as error:
        log.warning("nudge_lost", task=name, args=args, error=str(error))


@cache
def _producers(app: Celery, broker_url: str) -> ProducerPool:
    options = {**app.conf.broker_transport_options, **GIVE_UP_AT_ONCE}
    pool: ProducerPool = pools.producers[app.connection_for_write(broker_url, transport_options=options)]
    return pool
