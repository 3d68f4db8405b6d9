"""Tests that share a gateway run in one process, and those that take longest begin first."""

from tests.proofs import ROOT
from tests.shares import FIRST, TOGETHER, place_of, share_of


def test_folders_that_share_a_gateway_are_one_share() -> None:
    assert share_of("tests/clients/test_live.py::test_a[x::y]") == "tests/clients/"
    assert share_of("tests/clients/test_python.py::test_b") == "tests/clients/"
    assert share_of("tests/storm/test_storm.py::test_c") == "tests/storm/test_storm.py"


def test_what_takes_longest_comes_first() -> None:
    names = ["tests/a.py::a", "tests/clients/test_live.py::b", "tests/crawl/c.py::c"]
    assert sorted(names, key=place_of) == names[::-1]


def test_what_is_named_is_there() -> None:
    assert [name for name in (*FIRST, *TOGETHER) if not (ROOT / name).exists()] == []
    assert all((ROOT / name).is_dir() for name in TOGETHER)
