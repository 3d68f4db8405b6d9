"""No file names the machine it was written on, a package index, or documents outside of here."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_layout import PACKAGES

ROOT = Path(__file__).parent.parent
MADE = {"node_modules", "dist", "__pycache__", "results"}
FOLDERS = (*PACKAGES, "alembic", "benchmarks", "docs", "tests", ".ci")

HOMES = r"(?<![\w.:])/(?:home|Users)/\w|(?<![\w.:])/(?:root|work)/"
# Only tests may name scratch folders.
SCRATCH = r"/tmp/\w"
INDEXES = (
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|extra-index"
    r"|\"resolved\": *\"http"
)
PEOPLE = r"\b(?:helper|engineer|session)-\d|\bissues? #?\d+\b"
PAPERS = r"\b[A-Z]{3,}\.md\b"


def files() -> Iterator[Path]:
    # In a worktree `.git` is a file, which says where the repository is.
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not MADE & set(path.relative_to(ROOT).parts):
                yield path


def found(pattern: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """The places that match, as `file: text`, outside of real data and of this file."""
    places = []
    for path in files():
        name = str(path.relative_to(ROOT))
        if path == Path(__file__) or name.startswith(("tests/data/", *but)):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        places += [f"{name}: {match[0]}" for match in re.finditer(pattern, text)]
    return places


@pytest.mark.parametrize("pattern", [HOMES, INDEXES, PEOPLE])
def test_nothing_of_where_and_how_it_was_made_is_mentioned(pattern: str) -> None:
    assert found(pattern) == []


def test_scratch_folders_are_named_in_tests_alone() -> None:
    assert found(SCRATCH, but=("tests/",)) == []


def test_papers_that_are_mentioned_are_in_the_repository() -> None:
    here = {path.name for path in files()}
    assert [place for place in found(PAPERS) if place.rpartition(" ")[2] not in here] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (HOMES, "see /home/ada/x"),
        (HOMES, "cd /root/x"),
        (SCRATCH, "'/tmp/x'"),
        (INDEXES, "https://files.pythonhosted.org/x"),
        (INDEXES, '"resolved": "https://x.test"'),
        (PEOPLE, "as said in issue 12"),
        (PAPERS, "see PLANS.md"),
    ],
)
def test_mentions_are_noticed(pattern: str, text: str) -> None:
    assert re.search(pattern, text)


@pytest.mark.parametrize("text", ["src/workbench", "http://gateway/work", "localhost:8000/root"])
def test_harmless_text_is_left_alone(text: str) -> None:
    assert not re.search(HOMES, text)
