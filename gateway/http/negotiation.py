"""Chooses the media type of a response by Accept, and checks the request's Content-Type."""

from collections.abc import Mapping

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
HTML = "text/html"
EVENT_STREAM = "text/event-stream"

# The first one wins a tie: `*/*` and a missing header mean plain JSON.
OFFERED = (JSON, GRAPHQL, EVENT_STREAM)
WITH_PAGE = (JSON, GRAPHQL, HTML, EVENT_STREAM)
MAX_MEMBERS = 50
_EXACT = 2


def preferred(accept: str | None, offered: tuple[str, ...] = OFFERED) -> str | None:
    """The best of the offered media types, or None if the client accepts none."""
    if not accept or not accept.strip():
        return offered[0]
    accepted = qualities(accept)
    best, best_rank = None, (0.0, -1)
    for media_type in offered:
        rank = _rank(media_type, accepted)
        # A client that names both equally gets the newer type, which can express more.
        newer = media_type == GRAPHQL and rank == best_rank and rank[1] == _EXACT
        if rank[0] > 0 and (rank > best_rank or newer):
            best, best_rank = media_type, rank
    return best


def _rank(media_type: str, accepted: Mapping[str, float]) -> tuple[float, int]:
    """(quality, specificity): at equal quality, an exact range wins over a wildcard."""
    ranges = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    for specificity in (_EXACT, 1, 0):
        if ranges[specificity] in accepted:
            return accepted[ranges[specificity]], specificity
    return 0.0, -1


def qualities(header: str) -> dict[str, float]:
    """The members of an Accept or Accept-Encoding header with their `q`, from 0 to 1."""
    found: dict[str, float] = {}
    for member in header.lower().split(",", MAX_MEMBERS)[:MAX_MEMBERS]:
        name, *parameters = (part.strip() for part in member.split(";"))
        found[name] = max(_quality(parameters), found.get(name, 0.0))
    return found


def _quality(parameters: list[str]) -> float:
    """The parameter `q`; 1 if it is missing, 0 if it is no number."""
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
