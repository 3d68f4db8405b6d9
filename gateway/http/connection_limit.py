"""Limits the connections that one address holds open to this process."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address

from gateway.http.proxies import LOCAL, TrustedProxies, budget_address


@dataclass(slots=True)
class ConnectionLimit:
    """The open connections by address. Trusted proxies and this machine are exempt."""

    maximum: int  # per address; 0 means no limit
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    open: Counter[str] = field(default_factory=Counter)

    def add(self, client: str) -> str | None:
        """Count a new connection; return the address it counts for, None where it is exempt."""
        if not self.maximum or self._is_exempt(client):
            return None
        address = budget_address(client)
        self.open[address] += 1
        return address

    def is_exceeded(self, address: str | None) -> bool:
        return address is not None and self.open[address] > self.maximum

    def remove(self, address: str | None) -> None:
        """Undo `add`, given its result."""
        if address is not None:
            self.open[address] -= 1
            if self.open[address] <= 0:
                del self.open[address]

    def _is_exempt(self, client: str) -> bool:
        return client == LOCAL or ip_address(client).is_loopback or self.proxies.trusts(client)
