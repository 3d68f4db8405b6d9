"""Limits the connections that one address holds open to this process."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from gateway.http.proxies import LOCAL, TrustedProxies, budget_address


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """The most open connections of an address. Trusted proxies and this machine are exempt."""

    maximum: int  # per address; 0 means no limit
    proxies: TrustedProxies = field(default_factory=TrustedProxies)

    def payer(self, client: tuple[str, int] | None) -> str | None:
        """The address that a connection counts for; None where it is exempt."""
        address = client[0] if client else LOCAL
        return None if not self.maximum or self._is_exempt(address) else budget_address(address)

    def is_exceeded(self, payer: str | None, connections: Iterable[Any]) -> bool:
        """Whether too many of these open connections, each with its `payer`, are of this one."""
        return payer is not None and sum(each.payer == payer for each in connections) > self.maximum

    def _is_exempt(self, client: str) -> bool:
        return client == LOCAL or ip_address(client).is_loopback or self.proxies.trusts(client)
