"""Whether an image or a video comes from one of MEDIA_HOSTS: pages name no other, and browsers would refuse it."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

HTTPS = 443


def is_allowed(address: str, hosts: Iterable[str]) -> bool:
    """Whether ``address`` is an https one that a source of ``hosts`` covers, read as in a Content-Security-Policy."""
    try:
        asked = urlsplit(address)
        return asked.scheme == "https" and any(_covers(host, asked) for host in hosts)
    except ValueError:  # A port that is no number, half a bracket.
        return False


def _covers(source: str, asked: SplitResult) -> bool:
    given = urlsplit(source if "://" in source else f"https://{source}")
    wanted, host = given.hostname or "", asked.hostname or ""
    # A name and password in front of the host would make it look like another one.
    if given.scheme not in ("https", "http") or "@" in asked.netloc:
        return False
    is_host = host.endswith(wanted.removeprefix("*")) if wanted.startswith("*.") else host == wanted
    is_port = (asked.port or HTTPS) == (given.port or HTTPS)
    is_path = asked.path.startswith(given.path) if given.path.endswith("/") else given.path in ("", asked.path)
    return is_host and is_port and is_path
