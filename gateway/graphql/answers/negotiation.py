"""Chooses the media type of a response by Accept, and checks the request's Content-Type."""

from collections.abc import Iterator
from dataclasses import dataclass

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
HTML = "text/html"
EVENT_STREAM = "text/event-stream"

# The first one wins a tie: `*/*` and a missing header mean plain JSON.
OFFERED = (JSON, GRAPHQL, EVENT_STREAM)
WITH_PAGE = (JSON, GRAPHQL, HTML, EVENT_STREAM)
MAX_RANGES = 50
_EXACT = 2


@dataclass(frozen=True, slots=True)
class _Range:
    type: str
    subtype: str
    quality: float

    def specificity(self, media_type: str) -> int | None:
        """2 for an exact match, 1 for `type/*`, 0 for `*/*`, None for no match."""
        kind, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return _EXACT
        if (self.type, self.subtype) == (kind, "*"):
            return 1
        return 0 if (self.type, self.subtype) == ("*", "*") else None


def preferred(accept: str | None, offered: tuple[str, ...] = OFFERED) -> str | None:
    """The best of the offered media types, or None if the client accepts none."""
    if not accept or not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    best, best_rank = None, (0.0, -1)
    for media_type in offered:
        rank = _rank(media_type, ranges)
        # A client that names both equally gets the newer type, which can express more.
        newer = media_type == GRAPHQL and rank == best_rank and rank[1] == _EXACT
        if rank[0] > 0 and (rank > best_rank or newer):
            best, best_rank = media_type, rank
    return best


def _rank(media_type: str, ranges: list[_Range]) -> tuple[float, int]:
    """(quality, specificity): at equal quality, an exact range wins over a wildcard."""
    matches = [
        (specificity, item.quality)
        for item in ranges
        if (specificity := item.specificity(media_type)) is not None
    ]
    if not matches:
        return 0.0, -1
    specificity, quality = max(matches)
    return quality, specificity


def _ranges(accept: str) -> Iterator[_Range]:
    for part in accept.split(",", MAX_RANGES)[:MAX_RANGES]:
        media_range, *parameters = part.lower().split(";")
        kind, slash, subtype = media_range.strip().partition("/")
        if slash and kind and subtype:
            yield _Range(kind, subtype, quality(parameters))


def quality(parameters: list[str]) -> float:
    """The parameter `q`, from 0 to 1; 1 if it is missing."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def is_json(content_type: str | None) -> bool:
    """Whether a request body is JSON in UTF-8, which is the default charset."""
    media_type, *parameters = (content_type or "").lower().split(";")
    charsets = [
        value.strip().strip('"')
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip() == "charset"
    ]
    return media_type.strip() == JSON and all(name in ("utf-8", "utf8") for name in charsets)
