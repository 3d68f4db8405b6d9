"""Headers that keep browsers from guessing and framing; a page may bring its own policy."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.config.settings import Switch
from gateway.http.proxies import TrustedProxies

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
# A year. No `includeSubDomains`: the gateway does not know whether subdomains use https.
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    app: ASGIApp
    proxies: TrustedProxies
    hsts: Switch = "auto"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = (*HEADERS, HTTPS_ONLY) if self._is_https_only(scope) else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _value in message["headers"]}
                missing = [item for item in headers if item[0] not in given]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _is_https_only(self, scope: Scope) -> bool:
        return self.hsts == "on" or (self.hsts == "auto" and self.proxies.is_https(scope))
