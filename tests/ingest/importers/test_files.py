"""Files of rows: located, plain or gzipped, and read to the end despite broken rows."""

import gzip
from pathlib import Path

import pytest

from ingest.importers.files import Problem, Row, csv_rows, json_rows, locate
from storage.errors import InvalidInput

NAME = "sets/part/rows.csv"


def briefly(rows: list[Row | Problem]) -> list[object]:
    return [(row.location, row.message) if isinstance(row, Problem) else row.values for row in rows]


@pytest.mark.parametrize("inside", ["sets/part/rows.csv", "part/rows.csv", "sets/part/rows.csv.gz"])
def test_file_is_found_below_either_folder_and_compressed(tmp_path: Path, inside: str) -> None:
    path = tmp_path / inside
    path.parent.mkdir(parents=True)
    path.touch()
    assert locate(tmp_path, NAME) == [path]
    assert locate(path, NAME) == [path]


def test_pattern_finds_all_files_in_order_and_each_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv.gz", "c.csv", "c.csv.gz", "d.json"):
        (tmp_path / name).touch()
    found = [path.name for path in locate(tmp_path, "sets/*.csv")]
    assert found == ["a.csv.gz", "b.csv", "c.csv"]


def test_pattern_that_also_names_gzipped_files_finds_each_once(tmp_path: Path) -> None:
    for name in ("server.log.1", "server.log.2.gz", "server.log.gz", "server.log.2"):
        (tmp_path / name).touch()
    found = [path.name for path in locate(tmp_path, "kafka0/*.log*")]
    assert found == ["server.log.gz", "server.log.1", "server.log.2"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no sets/part/rows\.csv"):
        locate(tmp_path, NAME)


def test_gzip_and_plain_read_alike(tmp_path: Path) -> None:
    text = 'a,b\n1,"two\nlines"\n\n3,€\n'.encode()
    plain, packed = tmp_path / "rows.csv", tmp_path / "rows.csv.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + text)
    packed.write_bytes(gzip.compress(text))
    rows = [
        Row("rows.csv:3", {"a": "1", "b": "two\nlines"}),
        Row("rows.csv:5", {"a": "3", "b": "€"}),
    ]
    assert list(csv_rows(plain)) == list(csv_rows(packed)) == rows


def test_rows_that_do_not_fit_the_header_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert briefly(list(csv_rows(path))) == [
        {"a": "1", "b": "2"},
        ("rows.csv:3", "has 1 columns where the header has 2"),
        ("rows.csv:4", "has 3 columns where the header has 2"),
        {"a": "7", "b": "8"},
    ]


def test_field_too_long_for_csv_does_not_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"a\n{'x' * 200_000}\n1\n")
    problem, row = csv_rows(path)
    assert isinstance(problem, Problem)
    assert problem.location == "rows.csv:2"
    assert isinstance(row, Row)
    assert row.values == {"a": "1"}


def test_file_cut_off_in_the_middle_gives_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a\n" + b"1\n" * 100_000)[:-20])
    *rows, last = csv_rows(path)
    assert len(rows) > 1_000
    assert isinstance(last, Problem)
    assert "cut off" in last.message


def test_lines_that_are_not_objects_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n[1]\n{"a"\n{"a": "\xff"}\n{"b": 2}\n')
    rows = list(json_rows(path))
    assert [row.values for row in rows if isinstance(row, Row)] == [{"a": 1}, {"b": 2}]
    assert [row.location for row in rows if isinstance(row, Problem)] == [
        f"rows.jsonl:{line}" for line in (3, 4, 5)
    ]
