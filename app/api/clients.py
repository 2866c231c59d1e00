"""Whose request or message is being answered: told by the connection's own address, never by a header."""

from collections.abc import Mapping
from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address
from itertools import count
from typing import Any

from ..runs.clients import Client

client: ContextVar[Client] = ContextVar("client", default=Client())  # noqa: B039 - a named tuple never changes
_connections = count(1)


def address_of(scope: Mapping[str, Any]) -> str:
    """Return where a connection comes from, of IPv6 the network: who has one has all its 2^64 addresses.

    Empty where that cannot be told, as on a socket in the file system.
    """
    host = str((scope.get("client") or ("",))[0])
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or address.exploded[:19])


def new_connection(address: str) -> Client:
    """Make a client of its own for one connection of the stream."""
    return Client(address, next(_connections))
