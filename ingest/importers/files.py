"""Reads a data set's files row by row: CSV, JSON or lines of text, plain or gzipped."""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

import orjson

from ingest.times import read_time
from storage.errors import InvalidInput
from storage.names import is_slug

Item = TypeVar("Item")

# What reading a value raises that is missing or of another type than expected.
_MISFITS = (KeyError, IndexError, TypeError, AttributeError, ValueError)
_BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


class BadRow(Exception):  # noqa: N818 - it is caught for each row
    """A row that cannot be read, and why; reading goes on with the next one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column name, and its `file:line`, the line being its last.

    The methods raise BadRow if the column has no such value.
    """

    location: str
    values: dict[str, Any]

    def text(self, column: str) -> str:
        return required(self.values.get(column), column)

    def slug(self, column: str) -> str:
        return slug_of(self.values.get(column), column)

    def moment(self, column: str) -> datetime:
        return moment(self.values.get(column), column)

    def number(self, column: str) -> float:
        return number(self.values.get(column), column)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or an event made from it, was left out."""

    location: str
    message: str


# Reads the rows of one file.
ReadFile = Callable[[Path], Iterable[Row | Problem]]


def locate(source: Path, pattern: str) -> list[Path]:
    """Finds a set's files below the folder of all sets or of this set; a file is taken as it is.

    Each file may be gzipped, with `.gz` after its name. Raises InvalidInput if there is none.
    """
    if source.is_file():
        return [source]
    for inside in (pattern, str(Path(*Path(pattern).parts[1:]))):
        packed = {plain_name(path): path for path in source.glob(f"{inside}.gz")}
        # A pattern that ends with a star matches both.
        plain = {path.name: path for path in source.glob(inside) if path.suffix != ".gz"}
        if found := packed | plain:
            return [found[name] for name in sorted(found)]
    raise InvalidInput(f"There is no {pattern} or {pattern}.gz in {source}")


def plain_name(path: Path) -> str:
    """The name of a file without `.gz`."""
    return path.name.removesuffix(".gz")


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """Files of a set, and what a row of theirs holds.

    A row for which `items` raises BadRow is a problem. So is one that lacks a value that `items`
    takes, or has another type of it. Without `read_file`, the pattern's suffix decides how the
    files are read.
    """

    pattern: str
    items: Callable[[Row], Iterable[Item]]
    read_file: ReadFile | None = None

    def read(self, source: Path) -> Iterator[Item | Problem]:
        """Yields the items of each row of the files."""
        read_file = self.read_file or _READERS.get(Path(self.pattern).suffix, text_rows)
        for path in locate(source, self.pattern):
            for row in read_file(path):
                if isinstance(row, Problem):
                    yield row
                    continue
                try:
                    yield from list(self.items(row))
                except BadRow as bad:
                    yield Problem(row.location, str(bad))
                except _MISFITS as error:
                    yield _misfit(row.location, error)


def csv_rows(path: Path) -> Iterator[Row | Problem]:
    """Yields the rows after the header; a row that does not fit the header becomes a problem."""
    name = plain_name(path)
    with _opened(path) as file:
        reader = csv.reader(file)
        header: list[str] | None = None
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(f"{name}:{reader.line_num}", f"is not CSV: {error}")
                continue
            except _BROKEN_GZIP:
                yield _broken(name, reader.line_num)
                return
            if header is None:
                header = cells
            elif cells:
                yield _csv_row(f"{name}:{reader.line_num}", header, cells)


def text_rows(path: Path) -> Iterator[Row | Problem]:
    """Yields the lines that are not blank, each as the column `line`."""
    name, number = plain_name(path), 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield Row(f"{name}:{number}", {"line": line})
        except _BROKEN_GZIP:
            yield _broken(name, number)


def json_rows(path: Path) -> Iterator[Row | Problem]:
    """Yields the objects of a file with one on each line."""
    for row in text_rows(path):
        yield _json_row(row.location, row.values["line"]) if isinstance(row, Row) else row


def document_rows(
    entries: Callable[[dict[str, Any]], Iterable[dict[str, Any]]],
) -> ReadFile:
    """Reads a file that is one JSON object: its rows are its `entries`, located by number."""

    def read_file(path: Path) -> Iterator[Row | Problem]:
        name = plain_name(path)
        try:
            with _opened(path) as file:
                found = list(entries(json_object(file.read(), "the file")))
        except BadRow as bad:
            yield Problem(name, str(bad))
        except _BROKEN_GZIP:
            yield _broken(name, 0)
        except _MISFITS as error:
            yield _misfit(name, error)
        else:
            for number, values in enumerate(found, start=1):
                yield Row(f"{name}:{number}", values)

    return read_file


_READERS: dict[str, ReadFile] = {".csv": csv_rows, ".jsonl": json_rows}


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


def number(value: Any, name: str) -> float:
    """The number in a column, at least 0; raises BadRow if it is not one."""
    try:
        found = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        raise BadRow(f"{name} is not a number") from None
    if not isfinite(found) or found < 0:
        raise BadRow(f"{name} is not a number from 0 up")
    return found


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


def _broken(name: str, line: int) -> Problem:
    return Problem(f"{name}:{line}", "the compressed file is cut off or damaged after this line")


def _misfit(location: str, error: Exception) -> Problem:
    return Problem(location, f"is not laid out as expected: {error!r}")


def _csv_row(location: str, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(location, f"has {len(cells)} columns where the header has {len(header)}")
    return Row(location, dict(zip(header, cells, strict=True)))


def _json_row(location: str, line: str) -> Row | Problem:
    try:
        return Row(location, json_object(line, "the line"))
    except BadRow as bad:
        return Problem(location, str(bad))
