"""Signs the dashboard of a demo in by itself, if its browser runs on the gateway's own machine."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.config.demo_token import issue_demo_token
from gateway.config.settings import Settings
from gateway.http.addresses import LOOPBACK
from gateway.http.exchange import Exchange
from gateway.http.hosts import LOCAL

FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """Responds with a token of the demo's administrator; `issue` is None outside of demos."""

    issue: Callable[[], str] | None = None

    @classmethod
    def of(cls, settings: Settings) -> "DemoSignIn":
        if settings.environment != "demo" or not settings.jwt_secrets:
            return cls()
        return cls(lambda: issue_demo_token(settings, datetime.now(UTC)))

    async def respond(self, request: Request) -> Response:
        """Respond with `{"token": …}`; null if there is none for this request."""
        token = self.issue() if self.issue is not None and _is_own_page(request) else None
        return JSONResponse({"token": token}, headers={"cache-control": "no-store"})


def _is_own_page(request: Request) -> bool:
    """Whether a page of this gateway asks, in a browser on this machine and past no proxy.

    Browsers set Sec-Fetch-Site, and no page can change it.
    """
    headers = request.headers
    return (
        Exchange.of(request.scope).address in LOOPBACK
        and LOCAL.allow(headers.get("host", ""))
        and headers.get("sec-fetch-site") == "same-origin"
        and not any(name in headers for name in FORWARDED)
    )
