"""slowapi on the REST routes: how many requests a process takes from one sender.

It counts in the process alone, so it never waits for a server. The shared budgets of
`access.budgets` count events and bytes; this limits the requests themselves.
"""

import time
from math import ceil

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.edge_route import Endpoint
from gateway.http.errors import rest_error
from gateway.http.exchange import Exchange
from storage.errors import RateLimited

REQUESTS = "6000/minute"


class RequestGuard:
    """Wraps the endpoints of REST routes."""

    def __init__(self, enabled: bool) -> None:
        self._limiter = Limiter(
            key_func=sender_of, storage_uri="memory://", strategy="moving-window", enabled=enabled
        )

    def around(self, endpoint: Endpoint, name: str) -> Endpoint:
        """The endpoint, which refuses a sender above the limit; `name` is that of the counter."""

        async def guarded(request: Request) -> Response:
            return await endpoint(request)

        guarded.__name__ = name
        limited: Endpoint = self._limiter.limit(REQUESTS)(guarded)
        return limited

    async def refuse(self, request: Request, error: Exception) -> Response:
        """slowapi's refusal in the form of our other errors."""
        assert isinstance(error, RateLimitExceeded)
        limit, keys = request.state.view_rate_limit  # the error does not say how long
        free_at, _left = self._limiter.limiter.get_window_stats(limit, *keys)
        refusal = RateLimited(
            f"Too many requests: {error.detail}. Send more events in each.",
            retry_after_seconds=max(1, ceil(free_at - time.time())),
        )
        return rest_error(refusal, request.scope, Exchange.of(request.scope).request_id)


def sender_of(request: Request) -> str:
    """The viewer or, without one, the client's address: its requests are counted together."""
    exchange = Exchange.of(request.scope)
    return exchange.viewer.key if exchange.viewer else f"address:{exchange.address}"
