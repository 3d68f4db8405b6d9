"""Inbound filters: events that a project does not want, by release, text or browser."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any

MAX_TEXT_LENGTH = 8_192
MAX_AGENT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser by its user agent; versions before `modern` are legacy ones, 0 for all."""

    agent: re.Pattern[str]
    modern: int = 0

    def is_legacy(self, agent: str) -> bool | None:
        """None if this is another browser."""
        match = self.agent.search(agent)
        if match is None:
            return None
        return self.modern == 0 or int(match[1]) < self.modern


# The first that matches counts: later browsers name the earlier ones too.
BROWSERS: Sequence[Browser] = (
    Browser(re.compile(r"MSIE |Trident/|IEMobile")),
    Browser(re.compile(r"Opera Mini/(\d{1,4})"), modern=8),
    Browser(re.compile(r"Presto/")),
    Browser(re.compile(r"Edge/(\d{1,4})"), modern=79),
    Browser(re.compile(r"(?:Chrome|CriOS)/(\d{1,4})"), modern=64),
    Browser(re.compile(r"(?:Firefox|FxiOS)/(\d{1,4})"), modern=68),
    Browser(re.compile(r"Android (\d{1,4})[^)]*\).*Version/"), modern=5),
    Browser(re.compile(r"Version/(\d{1,4})\S* (?:Mobile/\S+ )?Safari/"), modern=12),
)


def matches_release(event: Mapping[str, Any], globs: Sequence[str]) -> bool:
    """Whether the release of an event matches one of the globs."""
    release = event.get("release")
    return isinstance(release, str) and any(_glob(glob).fullmatch(release) for glob in globs)


def matches_text(event: Mapping[str, Any], patterns: Sequence[str]) -> bool:
    """Whether one of the event's texts has one of the patterns in it, whatever its case.

    A pattern with a star is a glob of the whole text.
    """
    if not patterns:
        return False
    texts = [text[:MAX_TEXT_LENGTH].lower() for text in _texts(event)]
    return any(_has(text, pattern.lower()) for text in texts for pattern in patterns)


def is_of_legacy_browser(event: Mapping[str, Any]) -> bool:
    """Whether the event is of a page in a browser that its makers no longer support."""
    request = event.get("request")
    headers = request.get("headers") if isinstance(request, dict) else None
    if event.get("platform") != "javascript" or not isinstance(headers, dict):
        return False
    agents = [value for name, value in headers.items() if name.lower() == "user-agent"]
    agent = agents[0] if agents else None
    if isinstance(agent, list):
        agent = agent[0] if agent else None
    if not isinstance(agent, str):
        return False
    found = (browser.is_legacy(agent[:MAX_AGENT_LENGTH]) for browser in BROWSERS)
    return next((legacy for legacy in found if legacy is not None), False)


def _texts(event: Mapping[str, Any]) -> Iterator[str]:
    """Type and value of each exception, and the message."""
    for exception in event.get("exception", {}).get("values", ()):
        parts = (exception.get("type"), exception.get("value"))
        yield ": ".join(part for part in parts if part)
    if isinstance(message := event.get("message"), str):
        yield message
    entry = event.get("logentry", {})
    yield from (text for name in ("formatted", "message") if (text := entry.get(name)))


def _has(text: str, pattern: str) -> bool:
    return bool(_glob(pattern).fullmatch(text)) if "*" in pattern else pattern in text


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """The expression of a glob, in which only stars and question marks have a meaning."""
    return re.compile(translate(pattern.replace("[", "[[]")))
