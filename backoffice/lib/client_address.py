"""Where a request came from, believing proxies only when they are ours."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def client_address(remote_addr: str, forwarded_for: str, trusted: Sequence[Network]) -> str | None:
    """The address of the client, or None when the server was not told a valid one (a unix socket).

    X-Forwarded-For is read from the right, past trusted proxies only: what stands further left is the
    client's own claim.
    """
    hops = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    address = _parsed(remote_addr)
    while address and hops and _is_trusted(address, trusted):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = hop
    return address


def _parsed(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in trusted)
