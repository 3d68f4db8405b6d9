"""Says in headers whether an answer came from the cache, so that its body stays the same."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection

from analytics.answer import Answer
from gateway.graphql.answers.responses import Figures, Kept
from gateway.http.requests import state_of
from storage.cache import CacheStatus

NAME = "deployment-analytics-gateway"


def remember(request: HTTPConnection, answered: list[Answer]) -> None:
    """Keep the list that the request's loaders will fill."""
    state_of(request.scope)["answered"] = answered


def freshness_headers(request: HTTPConnection) -> dict[str, str]:
    """`Cache-Status` as RFC 9211 has it, and `Age`; nothing where no aggregate was asked for."""
    answered = _answered(request)
    if not answered:
        return {}
    # A response is as fresh as the oldest of its answers, and a hit only when all of them are.
    if any(answer.cache is CacheStatus.MISS for answer in answered):
        return {"cache-status": f"{NAME}; fwd=miss"}
    return _hit(figures_of(request).age_seconds, stale=False)


def kept_headers(kept: Kept) -> dict[str, str]:
    """The same for an answer that was kept as a whole."""
    return _hit(kept.age_seconds, kept.stale)


def figures_of(request: HTTPConnection) -> Figures:
    """How old the oldest aggregate of an answer is, and whether any range is open."""
    answered = _answered(request)
    if not answered:
        return Figures()
    return Figures(
        max(answer.age_seconds for answer in answered),
        any(not answer.complete for answer in answered),
        min(answer.as_of for answer in answered),
    )


def _answered(request: HTTPConnection) -> Sequence[Answer]:
    answered: Sequence[Answer] = state_of(request.scope).get("answered", ())
    return answered


def _hit(age_seconds: float, stale: bool) -> dict[str, str]:
    detail = "; detail=stale" if stale else ""
    return {"cache-status": f"{NAME}; hit{detail}", "age": str(int(age_seconds))}
