"""Refuses requests for another host, and those with two Host headers or none."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.errors import MisdirectedRequest
from gateway.http.exchange import Exchange
from gateway.http.hosts import AllowedHosts
from storage.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Hosts:
    """Checks the Host header of every route but those that accept any."""

    app: ASGIApp
    allowed: AllowedHosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not Exchange.of(scope).route.has_any_host:
            self._check(scope)
        await self.app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope.get("http_version") == "1.1"):
            raise InvalidInput("Send one Host header.")
        if not self.allowed.allow(hosts[0] if hosts else ""):
            raise MisdirectedRequest(
                "This gateway does not answer to that host; ALLOWED_HOSTS lists its names."
            )
