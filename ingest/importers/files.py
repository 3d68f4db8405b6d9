"""Reading a data set's files row by row: CSV or lines of JSON, plain or gzipped."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import orjson

from ingest.importers.records import FileLocation, Problem
from storage.errors import InvalidInput

_BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Row:
    """One row under the names of its columns."""

    place: FileLocation
    values: dict[str, Any]


def locate(source: Path, relative: str) -> Path:
    """The file of a set: below the folder of all sets, below the set's own, or given itself."""
    if source.is_file():
        return source
    inside = Path(*Path(relative).parts[1:])
    for path in (source / relative, source / inside):
        for candidate in (path, path.with_name(f"{path.name}.gz")):
            if candidate.is_file():
                return candidate
    raise InvalidInput(f"There is no {relative} or {relative}.gz in {source}")


def csv_rows(path: Path) -> Iterator[Row | Problem]:
    """The rows after the header; those that fit it not at all come back as problems."""
    with _opened(path) as file:
        reader = csv.reader(file)
        header: list[str] | None = None
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(FileLocation(path.name, reader.line_num), f"is not CSV: {error}")
                continue
            except _BROKEN_GZIP:
                yield _broken(path, reader.line_num)
                return
            if header is None:
                header = cells
            elif cells:
                yield _csv_row(FileLocation(path.name, reader.line_num), header, cells)


def json_rows(path: Path) -> Iterator[Row | Problem]:
    """The objects of a file with one on each line."""
    number = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _json_row(FileLocation(path.name, number), line)
        except _BROKEN_GZIP:
            yield _broken(path, number)


def _opened(path: Path) -> TextIO:
    """Bytes that are no UTF-8 stay recognisable, so that only their own field is refused."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _broken(path: Path, line: int) -> Problem:
    return Problem(
        FileLocation(path.name, line), "the compressed file is cut off or damaged after this"
    )


def _csv_row(place: FileLocation, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(place, f"has {len(cells)} columns where the header has {len(header)}")
    return Row(place, dict(zip(header, cells, strict=True)))


def _json_row(place: FileLocation, line: str) -> Row | Problem:
    try:
        values = orjson.loads(line.encode(errors="surrogateescape"))
    except orjson.JSONDecodeError as error:
        return Problem(place, f"is not JSON: {error}")
    return Row(place, values) if isinstance(values, dict) else Problem(place, "is not an object")
