"""The address of a request's client, behind trusted proxies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

Network = IPv4Network | IPv6Network
# An ASGI scope. Settings import this module, so it imports no web framework.
Scope = Mapping[str, Any]
LOCAL = "local"
_HOST = re.compile(rb"[A-Za-z0-9._-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
# An internet customer usually owns a whole /64 network.
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose X-Forwarded headers are believed; anybody else can make them up."""

    networks: Sequence[Network] = ()

    @classmethod
    def of(cls, text: str) -> "TrustedProxies":
        """Parse a comma-separated list of addresses and networks; raises ValueError."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return cls(tuple(ip_network(part, strict=False) for part in parts))

    def client(self, scope: Scope) -> str:
        """The nearest address that is no trusted proxy; `local` for a Unix socket."""
        client = _peer(scope)
        if not self.networks:
            return client
        for hop in reversed(_forwarded(scope, b"x-forwarded-for")):
            if not self.trusts(client) or _address(hop) is None:
                break
            client = hop
        return client

    def is_https(self, scope: Scope) -> bool:
        """Whether the client used https, by the connection or a trusted proxy's header."""
        if scope.get("scheme") in ("https", "wss"):
            return True
        protocols = _forwarded(scope, b"x-forwarded-proto")
        return protocols[-1:] in (["https"], ["wss"]) and self.trusts(_peer(scope))

    def base_url(self, scope: Scope) -> str:
        """The scheme and host that the client wrote; empty if it sent no host, or a strange one."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            return ""
        return f"{'https' if self.is_https(scope) else 'http'}://{hosts[0].decode('ascii')}"

    def trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or (LOCAL,))[0])


def _forwarded(scope: Scope, header: bytes) -> list[str]:
    """The members of a header, in lower case; the nearest proxy added the last one."""
    values = b",".join(value for name, value in scope["headers"] if name == header)
    return [part.strip() for part in values.decode("latin-1").lower().split(",") if part.strip()]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def budget_address(address: str) -> str:
    """The address a client's budgets count under: IPv4 as it is, the /64 network of IPv6."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)
