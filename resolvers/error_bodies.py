"""The body of an occurrence, in the usual shape and scrubbed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingest.errors.parts import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
    text_of,
    values_of,
)

_MAX_INT = 2**31 - 1


class Tag(NamedTuple):
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """An object inside a body, whose texts and numbers are read by name."""

    content: Json

    def text(self, *names: str) -> str | None:
        """The first of these that is a text or a number; None if none is."""
        return next(filter(None, (text_of(self.content.get(name)) for name in names)), None)

    def number(self, name: str) -> int | None:
        value = self.content.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if 0 <= value <= _MAX_INT else None

    def lines(self, name: str) -> list[str]:
        value = self.content.get(name)
        return [text_of(line) for line in value] if isinstance(value, list) else []


class Frame(Part):
    """A call in a stack trace."""

    __slots__ = ()
    file = property(lambda self: self.text("filename", "abs_path"))
    function = property(lambda self: self.text("function"))
    module = property(lambda self: self.text("module", "package"))
    line = property(lambda self: self.number("lineno"))
    column = property(lambda self: self.number("colno"))
    in_app = property(lambda self: self.content.get("in_app") is True)
    lines_before = property(lambda self: self.lines("pre_context"))
    source_line = property(lambda self: self.text("context_line"))
    lines_after = property(lambda self: self.lines("post_context"))
    vars = property(lambda self: self.content.get("vars"))


class Failure(Part):
    """An exception of a chain."""

    __slots__ = ()
    type = property(lambda self: self.text("type"))
    value = property(lambda self: self.text("value"))
    module = property(lambda self: self.text("module"))
    frames = property(lambda self: _frames(frames_of(self.content)))

    @property
    def handled(self) -> bool | None:
        value = self.content.get("mechanism", {}).get("handled")
        return value if isinstance(value, bool) else None


class Breadcrumb(Part):
    """Something that happened before the error."""

    __slots__ = ()
    category = property(lambda self: self.text("category"))
    level = property(lambda self: self.text("level"))
    message = property(lambda self: self.text("message"))
    type = property(lambda self: self.text("type"))
    data = property(lambda self: self.content.get("data"))
    occurred_at = property(lambda self: _time(self.content.get("timestamp")))


class Body(Part):
    """The body of an occurrence."""

    __slots__ = ()
    message = property(lambda self: message_of(self.content)[1] or None)
    exceptions = property(lambda self: [Failure(each) for each in exceptions_of(self.content)])
    frames = property(lambda self: _frames(loose_frames_of(self.content)))
    tags = property(lambda self: _tags(self.content.get("tags", {})))
    logger = property(lambda self: self.text("logger"))
    server_name = property(lambda self: self.text("server_name"))
    contexts = property(lambda self: self.content.get("contexts"))
    request = property(lambda self: self.content.get("request"))
    user = property(lambda self: self.content.get("user"))
    extra = property(lambda self: self.content.get("extra"))
    sdk = property(lambda self: self.content.get("sdk"))
    modules = property(lambda self: self.content.get("modules"))

    @property
    def breadcrumbs(self) -> list[Breadcrumb]:
        return [Breadcrumb(each) for each in values_of(self.content, "breadcrumbs")]

    @property
    def stack_trace(self) -> str | None:
        """All exceptions and their frames as text, the outermost exception first."""
        parts = [line for each in reversed(self.exceptions) for line in _described(each)]
        return "\n".join(parts or _lines(self.frames)) or None


def _frames(found: Iterable[Json]) -> list[Frame]:
    return [Frame(each) for each in found]


def _described(failure: Failure) -> Iterable[str]:
    yield ": ".join(filter(None, (failure.type, failure.value)))
    yield from _lines(failure.frames)


def _lines(frames: list[Frame]) -> Iterable[str]:
    """A line for each frame, the innermost first."""
    for frame in reversed(frames):
        place = ":".join(str(part) for part in (frame.file, frame.line, frame.column) if part)
        where = f" ({place})" if place else ""
        yield f"  at {frame.function or frame.module or '?'}{where}"


def _tags(value: Any) -> list[Tag]:
    return [Tag(name, text) for name, text in value.items()]


def _time(value: Any) -> datetime | None:
    """A time in seconds or as text; None for anything else."""
    with suppress(ValueError, OverflowError, OSError):
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    return None
