"""The address a request came from, behind proxies that are trusted to tell it."""

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
# A request as ASGI describes it; settings need this module, and no web framework.
Scope = Mapping[str, Any]
LOCAL = "local"
# A customer of a provider has a whole /64 to choose addresses from.
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose X-Forwarded-For is believed; of others it is the sender's own invention."""

    networks: Sequence[Network] = ()

    @classmethod
    def of(cls, text: str) -> "TrustedProxies":
        """From addresses and networks with commas between them; raises ValueError."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return cls(tuple(ip_network(part, strict=False) for part in parts))

    def client(self, scope: Scope) -> str:
        """The nearest address that is no trusted proxy, or what came over a socket's name."""
        peer = (scope.get("client") or (LOCAL,))[0]
        if not self.networks or not self.trusts(peer):
            return str(peer)
        hops = _forwarded(scope)
        while hops:
            hop = hops.pop()
            if _address(hop) is None:
                return str(peer)  # nobody can say what was meant
            peer = hop
            if not self.trusts(hop):
                break
        return str(peer)

    def is_https(self, scope: Scope) -> bool:
        """Whether the client came by https, as far as can be known."""
        if scope.get("scheme") in ("https", "wss"):
            return True
        if not self.networks or not self.trusts((scope.get("client") or (LOCAL,))[0]):
            return False
        told = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        return b",".join(told).split(b",")[-1].strip().lower() in (b"https", b"wss")

    def trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


def _forwarded(scope: Scope) -> list[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [part.strip() for part in b",".join(values).decode("latin-1").split(",") if part.strip()]


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
