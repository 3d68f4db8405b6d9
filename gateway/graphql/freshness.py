"""Says in headers whether an answer came from the cache, so that its body stays the same."""

from collections.abc import Sequence

from starlette.requests import Request

from analytics.answer import Answer
from gateway.requests import state_of
from storage.cache import Source

NAME = "deployment-analytics-gateway"


def remember(request: Request, answered: list[Answer]) -> None:
    """Keep the list that the request's loaders will fill."""
    state_of(request.scope)["answered"] = answered


def freshness_headers(request: Request) -> dict[str, str]:
    """`Cache-Status` as RFC 9211 has it, and `Age`; nothing where no aggregate was asked for."""
    answered: Sequence[Answer] = state_of(request.scope).get("answered", ())
    if not answered:
        return {}
    # A response is as fresh as the oldest of its answers, and a hit only when all of them are.
    kept = {answer.kept for answer in answered}
    if Source.MISS in kept:
        return {"cache-status": f"{NAME}; fwd=miss"}
    age_seconds = int(max(answer.age_seconds for answer in answered))
    status = "hit; detail=stale" if Source.STALE in kept else "hit"
    return {"cache-status": f"{NAME}; {status}", "age": str(age_seconds)}
