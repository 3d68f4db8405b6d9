"""The private parts of slowapi that the gateway uses, in one place."""

from slowapi import Limiter
from starlette.requests import Request


def refused_until(limiter: Limiter, request: Request) -> float:
    """When slowapi accepts the sender again, in seconds since 1970: its error does not say."""
    limit, keys = request.state.view_rate_limit
    free_at, _left = limiter.limiter.get_window_stats(limit, *keys)
    return float(free_at)
