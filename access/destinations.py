"""Where the gateway may send requests by itself: public addresses only, judged when it sends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_NAT64 = ip_network("64:ff9b::/96")
_HTTPS_PORT = 443

# Takes a host and a port; returns the addresses of the host. Raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class DestinationError(Exception):
    """Nothing may be sent there."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in whatever spelling it is given."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Public addresses by https, and the receivers of this network that a setting names.

    `local` has hosts with their ports, such as `localhost:9000`; they may speak http too.
    """

    local: frozenset[str] = frozenset()
    resolve: Resolve = resolve

    @classmethod
    def of(cls, text: str) -> "Destinations":
        """Parse a comma-separated list; raises ValueError."""
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        for part in parts:
            if urlsplit(f"//{part}").port is None:
                raise ValueError(f"{part[:100]!r} has no port: write it like localhost:9000")
        return cls(frozenset(parts))

    async def address(self, url: str) -> str:
        """The address to connect to; raises DestinationError, or OSError if there is none.

        A host of which any address is not public is refused, as the next look-up may return it.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or _HTTPS_PORT
        if f"{host}:{port}" in self.local:
            return (await self.resolve(host, port))[0]
        if parts.scheme != "https":
            raise DestinationError("only https is allowed")
        found = await self.resolve(host, port)
        if not found or not all(map(is_public, found)):
            raise DestinationError("the host is not at a public address")
        return found[0]


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet, also where IPv6 holds one of IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    held = _held(address) if isinstance(address, IPv6Address) else None
    if held is not None:
        return is_public(str(held))
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _held(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside an IPv6 one."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
