"""Replaces spans of a text by markers."""

from collections.abc import Iterable

Span = tuple[int, int, str]  # start, end, marker

SECRET = "[secret]"  # noqa: S105 a marker
EMAIL = "[email]"
CARD = "[card]"
IBAN = "[iban]"
ADDRESS = "[ip]"
USERNAME = "[user]"

# The texts of an event are searched as one, joined by this.
SEPARATOR = "\x1f"


def replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced; of spans that overlap, the first gives the marker."""
    parts: list[str] = []
    done = 0
    for start, end, marker in sorted(spans, key=_first_and_longest):
        if start >= done:
            parts += (text[done:start], marker)
        done = max(done, end)
    parts.append(text[done:])
    return "".join(parts)


def _first_and_longest(span: Span) -> tuple[int, int]:
    return span[0], -span[1]
