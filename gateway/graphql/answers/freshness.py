"""Says in headers whether an answer came from the cache, so that its body stays the same."""

from collections.abc import Sequence

from analytics.answer import Answer
from gateway.graphql.answers.response_cache import CachedResponse, ResponseFreshness
from storage.cache import CacheStatus

NAME = "deployment-analytics-gateway"


def freshness_headers(answers: Sequence[Answer]) -> dict[str, str]:
    """`Cache-Status` (RFC 9211) and `Age` of a response with these aggregates; none without any."""
    if not answers:
        return {}
    # A response is as old as its oldest aggregate, and a hit only if all of them are.
    if any(answer.cache is CacheStatus.MISS for answer in answers):
        return {"cache-status": f"{NAME}; fwd=miss"}
    return _hit(freshness_of(answers).age_seconds, stale=False)


def cached_headers(cached: CachedResponse) -> dict[str, str]:
    """The same headers for a response that was cached as a whole."""
    return _hit(cached.age_seconds, cached.stale)


def freshness_of(answers: Sequence[Answer]) -> ResponseFreshness:
    """The age of the oldest aggregate of a response, and whether any of its ranges is open."""
    if not answers:
        return ResponseFreshness()
    return ResponseFreshness(
        max(answer.age_seconds for answer in answers),
        any(not answer.complete for answer in answers),
        min(answer.as_of for answer in answers),
    )


def _hit(age_seconds: float, stale: bool) -> dict[str, str]:
    detail = "; detail=stale" if stale else ""
    return {"cache-status": f"{NAME}; hit{detail}", "age": str(int(age_seconds))}
