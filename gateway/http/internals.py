"""What slowapi does not promise to keep: each name is used here alone, for the reason given."""

from starlette.requests import Request


def refused_until(request: Request) -> float:
    """When slowapi would let the request in, in seconds since 1970: its error does not tell."""
    limit, keys = request.state.view_rate_limit
    free_at, _left = request.app.state.limiter.limiter.get_window_stats(limit, *keys)
    return float(free_at)
