"""slowapi on the REST routes: how many requests a process takes from one sender.

It counts in the process alone, so it never waits for a server. The shared budgets of
`access.budgets` count events and bytes; this limits the requests themselves.
"""

import time
from math import ceil

from limits import RateLimitItemPerMinute
from slowapi import Limiter

from gateway.http.exchange import Exchange
from storage.errors import RateLimited

REQUESTS_PER_MINUTE = 6_000


class RequestGuard:
    """Counts the requests of each viewer to each route."""

    def __init__(self, enabled: bool) -> None:
        self._limiter = Limiter(
            key_func=str, storage_uri="memory://", strategy="moving-window", enabled=enabled
        )

    def count(self, exchange: Exchange, at_least: int = 0) -> None:
        """Counts a request; raises RateLimited for a viewer above the limit.

        The limit is REQUESTS_PER_MINUTE, or `at_least` if that is more.
        """
        if not self._limiter.enabled:
            return
        limit = RateLimitItemPerMinute(max(REQUESTS_PER_MINUTE, at_least))
        counter = (exchange.required_viewer().key, exchange.route.path)
        if not self._limiter.limiter.hit(limit, *counter):
            free_at, _left = self._limiter.limiter.get_window_stats(limit, *counter)
            raise RateLimited(
                f"Too many requests: at most {limit.amount} a minute are taken from one sender. "
                "Send more events in each.",
                retry_after_seconds=max(1, ceil(free_at - time.time())),
            )
