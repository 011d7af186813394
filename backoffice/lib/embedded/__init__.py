"""PostgreSQL and Redis that start by themselves when DATABASE_URL and REDIS_URL are unset.

Whoever works on a checkout (`manage.py run`, the tests, a shell) enters `running()`: the first one in
starts the servers, the last one out stops them. Nothing here knows Django.
"""

from backoffice.lib.embedded.binaries import client
from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.logs import tail, trim
from backoffice.lib.embedded.passwords import secret
from backoffice.lib.embedded.places import data_dir
from backoffice.lib.embedded.provision import provided, revive
from backoffice.lib.embedded.servers import Urls, running, urls

__all__ = [
    "EmbeddedError",
    "Urls",
    "client",
    "data_dir",
    "provided",
    "revive",
    "running",
    "secret",
    "tail",
    "trim",
    "urls",
]
