"""How often a key may ask. The count is Redis's; without Redis nobody is held up."""

import math
import time
from functools import cache
from threading import Lock

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from backoffice.lib.api.errors import ApiError

log = structlog.get_logger(__name__)

WINDOW_MS = 60_000
TIMEOUT_SECONDS = 0.25
# While Redis is away it is asked this often, and each failed try costs one request the timeout and one log line.
ASK_AGAIN_SECONDS = 10

# A bucket that holds a minute's requests and fills evenly. Kept is the moment at which it will be full again.
# One script, so that many web processes count as one; times are the server's, in milliseconds.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + window / limit
local wait = full_at - window - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full_at), 'PX', math.ceil(full_at - now))
return 0
"""


class Limiter:
    """Counts requests by name in the Redis at ``url``."""

    def __init__(self, url: str) -> None:
        client = redis.Redis.from_url(
            url,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            # By itself the library tries again and again while the request waits.
            retry=Retry(NoBackoff(), 0),
        )
        self._take = client.register_script(TAKE)
        self._asks_again_at = 0.0
        self._lock = Lock()

    def take(self, name: str, per_minute: int) -> float:
        """Count one request; the seconds to wait when it is one too many, else 0. Fails open."""
        if time.monotonic() < self._asks_again_at:
            return 0
        try:
            return float(self._take(keys=[name], args=[WINDOW_MS, per_minute])) / 1000
        except (redis.RedisError, OSError) as error:
            self._give_up(error)
            return 0

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            if time.monotonic() < self._asks_again_at:
                return
            self._asks_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        log.warning("rate_limits_off", error=str(error), asks_again_in_seconds=ASK_AGAIN_SECONDS)


@cache
def _limiter(url: str) -> Limiter:
    return Limiter(url)


def enforce(name: str, per_minute: int) -> None:
    """Count one request of ``name``. Raises ApiError 429 with Retry-After above ``per_minute``; 0 is no limit."""
    if per_minute and (wait := _limiter(settings.REDIS_URL).take(f"api:rate:{name}", per_minute)):
        raise ApiError.plain(429, headers={"Retry-After": str(math.ceil(wait))})
