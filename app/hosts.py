"""Which names a request may call this server by: what a page elsewhere, re-pointed to this machine, cannot choose.

A browser takes `http://evil.example` for one origin whatever address the name has at the moment (DNS rebinding), so
a server that answers to any name lets every page read it.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from .connections import is_loopback


class Hosts:
    """The names a server answers to."""

    def __init__(self, host: str, allowed: Sequence[str]) -> None:
        """Listen on `host`; `allowed` are further names, `*` any."""
        self._any = "*" in allowed
        self._names = {_bare(name) for name in (host, "localhost", *allowed)} - {"", "0.0.0.0", "::"}
        # Reached over a network, it has addresses that are not known here, and this machine's name.
        self.open = not (is_loopback(host) or _bare(host) == "localhost")
        if self.open and not allowed:
            name = socket.gethostname().lower()
            self._names |= {name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}
        self._addresses = self.open

    def knows(self, host: str | None) -> bool:
        """Tell whether the `Host` of a request names this server; a client that is no browser may send none."""
        if host is None or self._any:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
            _ = urlsplit(f"//{host}").port
        except ValueError:
            return False
        if _bare(name) in self._names or name.endswith(".localhost") or is_loopback(name):
            return True
        return self._addresses and _is_address(name)


def _bare(name: str) -> str:
    """Reduce a name to the form that is compared: without brackets, port or the last dot."""
    name = name.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return (name if name.count(":") > 1 else name.partition(":")[0]).removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
