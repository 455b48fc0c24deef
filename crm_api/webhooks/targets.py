"""Whom a webhook may call: a host on the list, over https, at a public address; anything else is refused."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from crm_api.errors import InvalidError


@dataclass(frozen=True)
class Target:
    """A checked destination: the URL's parts, and the one address that the connection may go to."""

    host: str
    port: int
    path: str
    address: str


def check_url(url: str, allowed_hosts: frozenset[str]) -> tuple[str, int, str]:
    """(host, port, path and query) of an https URL to a listed host; InvalidError otherwise."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as error:
        raise InvalidError(f"{url!r} is no URL.", "Write https://host/path.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise InvalidError(f"{url!r} is not a plain https URL.", "Write https://host/path.")
    if host not in allowed_hosts:
        raise InvalidError(f"The host {host!r} is not allowed.", "Name it in CRM_WEBHOOK_HOSTS.")
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, not of this machine, this network or a cloud's inside."""
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is not None:
        found = mapped
    return found.is_global and not found.is_multicast


def resolve(url: str, allowed_hosts: frozenset[str]) -> Target:
    """Check a URL and look its host up once; every address must be public, and the connection goes to the first.

    Raises:
        InvalidError: the URL or its host is not allowed, or the name leads to an internal address.
        OSError: the name cannot be resolved.
    """
    host, port, path = check_url(url, allowed_hosts)
    found = [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    internal = [address for address in found if not is_public(address)]
    if internal or not found:
        raise InvalidError(f"{host} leads to an internal address.", "Webhooks go to public addresses only.")
    return Target(host=host, port=port, path=path, address=found[0])
