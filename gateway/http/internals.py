"""The private parts of slowapi that the gateway uses, in one place."""

from starlette.requests import Request


def refused_until(request: Request) -> float:
    """The Unix time at which slowapi would admit the request; its error does not say."""
    limit, keys = request.state.view_rate_limit
    free_at, _left = request.app.state.limiter.limiter.get_window_stats(limit, *keys)
    return float(free_at)
