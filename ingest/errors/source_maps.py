"""Replaces the frames of minified scripts by those of their sources, as source maps tell."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from posixpath import normpath
from tempfile import TemporaryFile
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from ingest.errors import map_check
from ingest.errors.parts import MAX_FRAMES, Json, exceptions_of
from ingest.scrubbing import scrub_text
from storage.errors import InvalidInput, Unavailable

CONTEXT_LINES = 3
# What reading a map may take; one of 50 MB takes a second, and less memory even as UCS-4.
CHECK_SECONDS = 10.0
CHECK_BYTES = 512_000_000
MAX_URL_LENGTH = 500
MAX_LENGTH = 500
_LONGEST_LINE = 200
_REFUSED = 1  # a process ends with this number after an exception, such as MemoryError
_NO_NAMES = (None, "", "<anonymous>", "<unknown>")


class Spot(NamedTuple):
    """A place in a minified script; line and column begin at 1."""

    urls: tuple[str, ...]  # the script may have been uploaded under each of these
    line: int
    column: int


class Original(NamedTuple):
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


def check_map(content: bytes) -> None:
    """Raises InvalidInput unless the content is a source map of version 3.

    A process of its own reads it: it ends with the time and the memory that it may take. Raises
    Unavailable where that process could not begin, had too little time, or was killed: a busy
    machine says nothing about the map.
    """
    command = [sys.executable, "-I", map_check.__file__, str(CHECK_BYTES)]
    try:
        with TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            done = subprocess.run(
                command, stdin=file, capture_output=True, timeout=CHECK_SECONDS, check=True
            )
    except (OSError, subprocess.SubprocessError) as error:
        if isinstance(error, subprocess.CalledProcessError) and error.returncode == _REFUSED:
            raise InvalidInput("The source map takes too much memory to read.") from None
        raise Unavailable("The source map could not be read now.") from None
    if problem := done.stdout.decode().strip():
        raise InvalidInput(problem)


def spots_of(body: Json) -> Iterator[Spot]:
    """The places in scripts that a body's frames name."""
    frames = [frame for exception in exceptions_of(body) for frame in _raw_frames(exception)]
    return filter(None, map(_spot, frames))


def apply(body: Json, find: Callable[[Spot], Original | None]) -> bool:
    """Replaces the frames that `find` knows; returns whether it knows all of them.

    Those that were sent are kept in `raw_stacktrace`.
    """
    complete = True
    for exception in exceptions_of(body):
        frames = _raw_frames(exception)
        spots = [_spot(frame) for frame in frames]
        found = [spot and find(spot) for spot in spots]
        complete &= all(found[at] for at, spot in enumerate(spots) if spot)
        if any(found):
            # Outermost first: the frame before calls this one, so its map knows the name.
            names = [None, *(original and original.name for original in found[:-1])]
            sent = zip(frames, found, names, strict=True)
            mapped = [_mapped(frame, one, name) if one else frame for frame, one, name in sent]
            trace = exception.get("stacktrace", {})
            exception["raw_stacktrace"] = exception.get("raw_stacktrace") or trace
            exception["stacktrace"] = {**trace, "frames": mapped}
    return complete


def _raw_frames(exception: Json) -> list[Json]:
    trace: Json = exception.get("raw_stacktrace") or exception.get("stacktrace", {})
    frames: list[Json] = trace.get("frames", [])
    return frames[-MAX_FRAMES:]


def _spot(frame: Json) -> Spot | None:
    line, column = frame.get("lineno"), frame.get("colno")
    names = [frame.get(name, "") for name in ("abs_path", "filename")]
    urls = tuple(dict.fromkeys(url for name in names for url in script_urls(name)))
    if not isinstance(line, int) or not isinstance(column, int):  # a project may call it secret
        return None
    return Spot(urls, line, column) if line and column and urls else None


def script_urls(path: str) -> list[str]:
    """What a script may be called: by its own URL, and by its path on any host after `~`."""
    if not path or len(path) > 4 * MAX_URL_LENGTH or path.startswith(("<", "node:", "native")):
        return []
    try:
        parts = urlsplit(path)
    except ValueError:
        return []
    if "://" in path:
        return [f"{parts.scheme}://{parts.netloc}{parts.path}", f"~{parts.path}"]
    return [path if path.startswith("~/") else f"~{path}" if path[0] == "/" else f"~/{path}"]


def _mapped(frame: Json, original: Original, name: str | None) -> Json:
    path = _path(original)
    function = original.function
    if function in _NO_NAMES:
        function = name or frame.get("function", "")
    return {
        **{key: value for key, value in frame.items() if key != "module"},
        "filename": path.removeprefix("~/"),
        "abs_path": path,
        "function": str(function)[:MAX_LENGTH],
        "lineno": original.line,
        "colno": original.column,
        "in_app": frame.get("in_app") is not False and "node_modules/" not in path,
        "pre_context": [_line(line) for line in original.lines_before],
        "context_line": _line(original.context_line or ""),
        "post_context": [_line(line) for line in original.lines_after],
    }


def _line(line: str) -> str:
    return scrub_text(line.rstrip()[:_LONGEST_LINE])


def _path(original: Original) -> str:
    """The source's path; a relative one is relative to the script."""
    url, source = original.url, original.source
    if "://" in source or not url.startswith("~/"):
        with suppress(ValueError):  # of a name such as `webpack://[name]/a.js`
            source = urljoin(url, source)
        return source[:MAX_LENGTH]
    joined = source if source.startswith("/") else f"{url[1:].rpartition('/')[0]}/{source}"
    return f"~{normpath(joined)}"[:MAX_LENGTH]
