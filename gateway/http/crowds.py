"""How many connections each address holds open to this process, so that none takes them all."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address

from gateway.http.proxies import LOCAL, TrustedProxies, neighbourhood


@dataclass(slots=True)
class Crowd:
    """Proxies stand for many clients and this machine for its own, so they are not counted."""

    at_most: int  # 0: any number
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    held: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> str | None:
        """Count one more connection; what to say at its end, or None where it is not counted."""
        if not self.at_most or self._is_exempt(address):
            return None
        place = neighbourhood(address)
        self.held[place] += 1
        return place

    def is_full(self, place: str) -> bool:
        """Whether this place has more than its share."""
        return self.held[place] > self.at_most

    def leave(self, place: str) -> None:
        self.held[place] -= 1
        if self.held[place] <= 0:
            del self.held[place]

    def _is_exempt(self, address: str) -> bool:
        return address == LOCAL or ip_address(address).is_loopback or self.proxies.trusts(address)
