"""Private names of libraries are used in files called `internals.py` only."""

from pathlib import Path

import pytest

from tests import internals
from tests.sizes import ROOT

HELD = '''"""Held."""
def core(schema):
    """There is no other way."""
    return schema._schema
def is_default(resolve):
    """Neither is here."""
    return getattr(resolve, "_is_default", False)
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("schema", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "schema" / "internals.py").write_text(HELD)
    return tmp_path


def test_nothing_private_is_used_outside_of_its_place() -> None:
    assert internals.used_elsewhere(ROOT) == []
    assert internals.overridden() == []


def test_each_accessor_says_why() -> None:
    lines = internals.accessors(ROOT)
    assert lines
    assert [line for line in lines if line.endswith(": ")] == []


def test_accessors_are_listed_with_their_reasons(root: Path) -> None:
    assert internals.accessors(root) == [
        "schema/internals.py: core: There is no other way.",
        "schema/internals.py: is_default: Neither is here.",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = library._thing\n", ["1: _thing"]),
        ("from library._parts import thing\n", ["1: _parts"]),
        ("from library import _thing\n", ["1: _thing"]),
        ("library._thing = 1\n", ["1: _thing"]),
        ("\nsetattr(library, '_thing', 1)\n", ["2: _thing"]),
        ("a = schema._schema\n", ["1: _schema"]),
        ("a = fields['_is_default']\n", ["1: '_is_default'"]),
        ("class A:\n    def _own(self): ...\na = A()._own\n", []),
        ("class A:\n    def __init__(self): self._own = 1\na = A()._own\n", []),
        ("a = row._asdict()\n", []),
    ],
)
def test_uses_are_found(root: Path, text: str, found: list[str]) -> None:
    for folder in ("schema", "tests"):
        (root / folder / "some.py").write_text(text)
    expected = [f"{folder}/some.py:{line}" for folder in ("schema", "tests") for line in found]
    assert internals.used_elsewhere(root) == expected


def test_base_classes_of_ours_lend_their_private_names(root: Path) -> None:
    (root / "schema" / "base.py").write_text("class Base:\n    def _own(self): ...\n")
    inherits = "from schema.base import Base\nclass A(Base):\n    def b(self): self._own()\n"
    (root / "schema" / "some.py").write_text(inherits)
    (root / "schema" / "other.py").write_text("from schema.base import Base\nBase()._own()\n")
    assert internals.used_elsewhere(root) == ["schema/other.py:2: _own"]


def test_tests_may_look_into_what_is_ours(root: Path) -> None:
    (root / "schema" / "some.py").write_text("class A:\n    def _own(self): ...\n")
    (root / "tests" / "some.py").write_text("a = A()._own\n")
    assert internals.used_elsewhere(root) == []


def test_overridden_private_methods_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from uvicorn import Server

    class Ours(Server):
        async def _serve(self, sockets: object = None) -> None: ...

        def _own(self) -> None: ...

    monkeypatch.setattr(internals, "_classes", lambda: iter([Ours]))
    (line,) = internals.overridden()
    assert line.endswith("Ours._serve overrides uvicorn.server.Server")
