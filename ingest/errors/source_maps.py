"""Replaces the frames of minified scripts by those of their sources, as source maps tell."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import normpath
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import orjson

from ingest.errors.scrubbing import scrub_text
from ingest.errors.shapes import MAX_FRAMES, Json, exceptions_of, object_of, objects_of, text_of
from storage.errors import InvalidInput

CONTEXT_LINES = 3
MAX_URL_LENGTH = 500
_LONGEST_LINE = 200
_LONGEST_PATH = 500
_LONGEST_NAME = 200
_NO_NAMES = ("", "<anonymous>", "<unknown>")


class Spot(NamedTuple):
    """A place in a minified script; line and column begin at 1."""

    urls: tuple[str, ...]  # the script may have been uploaded under each of these
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Original:
    """A place in a source."""

    url: str  # of the script
    source: str  # as the map names it
    line: int
    column: int
    function: str | None
    name: str | None  # what is called there
    lines_before: Sequence[str] = ()
    context_line: str | None = None
    lines_after: Sequence[str] = ()


Find = Callable[[Spot], Original | None]


def check_map(content: bytes) -> None:
    """Raises InvalidInput unless the content is a source map of version 3."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The source map is not JSON: {error}.") from None
    if not isinstance(value, dict) or value.get("version") != 3:
        raise InvalidInput("This is no source map: it must be an object with `version: 3`.")
    if "sections" in value:
        if not isinstance(value["sections"], list):
            raise InvalidInput("The `sections` of the source map must be a list.")
        return
    sources = value.get("sources")
    if not isinstance(value.get("mappings"), str) or not isinstance(sources, list):
        raise InvalidInput("The source map must have `mappings`, a text, and `sources`, a list.")
    if not all(isinstance(source, str | None) for source in sources):
        raise InvalidInput("The `sources` of the source map must be texts.")


def spots_of(body: Json) -> Iterator[Spot]:
    """The places in scripts that a body's frames name."""
    for holder in _holders(body):
        for frame in _raw_frames(holder):
            if spot := _spot(frame):
                yield spot


def with_sources(body: Json, find: Find) -> tuple[Json, bool]:
    """Returns the body with the frames that `find` knows, and whether it knows all of them.

    The frames as they were sent are kept in `raw_stacktrace`. Other parts of the body are shared.
    """
    replaced, complete = {}, True
    for holder in _holders(body):
        frames = _raw_frames(holder)
        spots = [_spot(frame) for frame in frames]
        found = [find(spot) if spot else None for spot in spots]
        complete &= all(found[at] for at, spot in enumerate(spots) if spot)
        if any(found):
            replaced[id(holder)] = _replaced(holder, frames, found)
    return _rebuilt(body, replaced), complete


def _holders(body: Json) -> list[Json]:
    """The exceptions and threads, which have stack traces."""
    return [*exceptions_of(body), *objects_of(body.get("threads"))]


def _raw_frames(holder: Json) -> list[Json]:
    trace = object_of(holder.get("raw_stacktrace") or holder.get("stacktrace"))
    frames = trace.get("frames")
    found = frames if isinstance(frames, list) else []
    return [each for each in found if isinstance(each, dict)][-MAX_FRAMES:]


def _spot(frame: Json) -> Spot | None:
    line, column = _number(frame.get("lineno")), _number(frame.get("colno"))
    if not (line and column):
        return None
    names = [text_of(frame.get(name)) for name in ("abs_path", "filename")]
    urls = tuple(dict.fromkeys(url for name in names for url in script_urls(name)))
    return Spot(urls, line, column) if urls else None


def _number(value: Any) -> int:
    """The line or column; 0 for what is none."""
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    return value if is_one else 0


def script_urls(path: str) -> list[str]:
    """What a script may be called: by its own URL, and by its path on any host after `~`."""
    if not path or len(path) > 4 * MAX_URL_LENGTH or path.startswith(("<", "node:", "native")):
        return []
    try:
        parts = urlsplit(path)
    except ValueError:
        return []
    if parts.scheme and "://" in path:
        return [f"{parts.scheme}://{parts.netloc}{parts.path}", f"~{parts.path}"]
    if path.startswith("~/"):
        return [path]
    return [f"~{path}" if path.startswith("/") else f"~/{path}"]


def _replaced(holder: Json, frames: list[Json], found: list[Any]) -> Json:
    raw = holder.get("raw_stacktrace") or holder["stacktrace"]
    # Outermost first: the frame before calls this one, and its map tells the function's name.
    callers = [None, *found[:-1]]
    mapped = [
        _mapped(frame, original, caller) if original else frame
        for frame, original, caller in zip(frames, found, callers, strict=True)
    ]
    trace = {**object_of(holder.get("stacktrace")), "frames": mapped}
    return {**holder, "stacktrace": trace, "raw_stacktrace": raw}


def _mapped(frame: Json, original: Original, caller: Original | None) -> Json:
    path = _path(original)
    function = original.function or ""
    if function in _NO_NAMES:
        called = caller.name if caller else None
        function = called or text_of(frame.get("function"))
    kept = {name: value for name, value in frame.items() if name != "module"}
    return {
        **kept,
        "filename": path.removeprefix("~/"),
        "abs_path": path,
        "function": function[:_LONGEST_NAME],
        "lineno": original.line,
        "colno": original.column,
        "in_app": frame.get("in_app") is not False and "node_modules/" not in path,
        "pre_context": [_line(line) for line in original.lines_before],
        "context_line": _line(original.context_line or ""),
        "post_context": [_line(line) for line in original.lines_after],
    }


def _line(line: str) -> str:
    """A line of a source, scrubbed as every text that is stored with an error."""
    return scrub_text(line.rstrip()[:_LONGEST_LINE])


def _path(original: Original) -> str:
    """The source's path; a relative one is relative to the script."""
    source = original.source
    if "://" in source:
        return source[:_LONGEST_PATH]
    if original.url.startswith("~/"):
        base = original.url.removeprefix("~").rpartition("/")[0]
        joined = source if source.startswith("/") else f"{base}/{source}"
        return f"~{normpath(joined)}"[:_LONGEST_PATH]
    return urljoin(original.url, source)[:_LONGEST_PATH]


def _rebuilt(body: Json, replaced: dict[int, Json]) -> Json:
    """The body with other exceptions and threads, by the identity of what they replace."""
    return {
        name: _exchanged(value, replaced) if name in ("exception", "threads") else value
        for name, value in body.items()
    }


def _exchanged(value: Any, replaced: dict[int, Json]) -> Any:
    if id(value) in replaced:
        return replaced[id(value)]
    if isinstance(value, list):
        return [replaced.get(id(each), each) for each in value]
    if isinstance(value, dict) and isinstance(values := value.get("values"), list):
        return {**value, "values": [replaced.get(id(each), each) for each in values]}
    return value
