"""Reads a data set's files row by row: CSV or lines of JSON, plain or gzipped."""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

import orjson

from ingest.times import read_time
from storage.dimensions import is_slug
from storage.errors import InvalidInput

Item = TypeVar("Item")

_BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


class BadRow(Exception):  # noqa: N818 - it is caught for each row
    """A row that cannot be read, and why; reading goes on with the next one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column name, and its `file:line`, the line being its last."""

    location: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or an event made from it, was left out."""

    location: str
    message: str


def locate(source: Path, relative: str) -> Path:
    """Finds a set's file below the folder of all sets or of this set; a file is taken as it is."""
    if source.is_file():
        return source
    inside = Path(*Path(relative).parts[1:])
    for path in (source / relative, source / inside):
        for candidate in (path, path.with_name(f"{path.name}.gz")):
            if candidate.is_file():
                return candidate
    raise InvalidInput(f"There is no {relative} or {relative}.gz in {source}")


def read_rows(
    source: Path, relative: str, read: Callable[[Row], Iterable[Item]]
) -> Iterator[Item | Problem]:
    """Yields the items of each row of a file; a row for which `read` raises BadRow is a problem."""
    path = locate(source, relative)
    for row in csv_rows(path) if relative.endswith(".csv") else json_rows(path):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            yield from list(read(row))
        except BadRow as bad:
            yield Problem(row.location, str(bad))


def csv_rows(path: Path) -> Iterator[Row | Problem]:
    """Yields the rows after the header; a row that does not fit the header becomes a problem."""
    with _opened(path) as file:
        reader = csv.reader(file)
        header: list[str] | None = None
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(f"{path.name}:{reader.line_num}", f"is not CSV: {error}")
                continue
            except _BROKEN_GZIP:
                yield _broken(path, reader.line_num)
                return
            if header is None:
                header = cells
            elif cells:
                yield _csv_row(f"{path.name}:{reader.line_num}", header, cells)


def json_rows(path: Path) -> Iterator[Row | Problem]:
    """Yields the objects of a file with one on each line."""
    number = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _json_row(f"{path.name}:{number}", line)
        except _BROKEN_GZIP:
            yield _broken(path, number)


def json_object(text: str, name: str) -> dict[str, Any]:
    """Parses an object; raises BadRow, with the name, if the text is not one."""
    try:
        values = orjson.loads(text.encode(errors="surrogateescape"))
    except orjson.JSONDecodeError as error:
        raise BadRow(f"{name} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise BadRow(f"{name} is not an object")
    return values


def moment(text: Any, name: str) -> datetime:
    """The time in a column; raises BadRow if it is not one."""
    time = read_time(text)
    if isinstance(time, str):
        raise BadRow(f"{name} {time}")
    return time


def required(text: Any, name: str) -> str:
    """The text in a column, stripped; raises BadRow if it is missing or blank."""
    if not isinstance(text, str) or not text.strip():
        raise BadRow(f"{name} is missing")
    return text.strip()


def slug_of(text: Any, name: str) -> str:
    """The text in a column as a slug; raises BadRow if it is not fit to be one."""
    slug = required(text, name)
    if not is_slug(slug):
        raise BadRow(f"{name} {slug!r} cannot be a short name")
    return slug


def _opened(path: Path) -> TextIO:
    """Bytes that are not UTF-8 become surrogates, so that only their own field is rejected."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _broken(path: Path, line: int) -> Problem:
    message = "the compressed file is cut off or damaged after this line"
    return Problem(f"{path.name}:{line}", message)


def _csv_row(location: str, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(location, f"has {len(cells)} columns where the header has {len(header)}")
    return Row(location, dict(zip(header, cells, strict=True)))


def _json_row(location: str, line: str) -> Row | Problem:
    try:
        return Row(location, json_object(line, "the line"))
    except BadRow as bad:
        return Problem(location, str(bad))
