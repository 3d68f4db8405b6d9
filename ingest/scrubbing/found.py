"""What is found in a text, and how it is replaced."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ingest.scrubbing.names import Kind

SECRET = "[secret]"  # noqa: S105 a marker
MARKERS = {Kind.ADDRESS: "[ip]", Kind.USERNAME: "[user]"}
MARKER = re.compile(r"\[(?:secret|email|card|iban|ip|user|cut: [^\]]{1,60})\]|\[Filtered\]")
# The texts of an event are searched as one, joined by this.
SEPARATOR = "\x1f"


class Found(NamedTuple):
    """A span of a text, what takes its place, and the value in it that is a secret elsewhere."""

    start: int
    end: int
    marker: str
    value: str = ""
    is_header: bool = False


def before(form: re.Pattern[str], text: str, at: int, reach: int) -> re.Match[str] | None:
    """The match of a form, written backwards, that ends at a position."""
    return form.match(text[max(0, at - reach) : at][::-1])


def replaced(text: str, found: Iterable[Found]) -> str:
    """The text with each span replaced; of spans that overlap, the first gives the marker."""
    parts: list[str] = []
    done = 0
    for start, end, marker, *_ in sorted(found, key=_first_and_longest):
        if start >= done:
            parts += (text[done:start], marker)
        done = max(done, end)
    return "".join(parts) + text[done:]


def _first_and_longest(found: Found) -> tuple[int, int]:
    return found.start, -found.end
