"""The crawl itself: which documents are answered otherwise because another tenant is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tests.crawl.documents import Document
from tests.crawl.secrets import Secrets
from tests.crawl.world import CANARY, World, Worlds

# Parts of a deep answer are loaded together or one after the other, as it happens.
TRIES = 4
MANY = 9


@dataclass(frozen=True, slots=True)
class Leak:
    """A document whose answer depends on the other tenant."""

    about: str
    what: str


class Note(Protocol):
    """Hears of each document how the world with the other tenant answers it at first."""

    def __call__(self, document: Document, answer: str, statements: list[str]) -> None: ...


async def leaks(
    worlds: Worlds, documents: Iterable[Document], secrets: Secrets, note: Note | None = None
) -> list[Leak]:
    """Each document is asked in both worlds, in the same order."""
    found = []
    for document in documents:
        without, within = await worlds.answers(document)
        if note is not None:
            note(document, within, sorted(worlds.within.statements))
        what = _difference(document, without, within, secrets)
        if (what := what or await _statements_apart(worlds, document)) is not None:
            found.append(Leak(document.about, what))
    return found


def _difference(document: Document, without: str, within: str, secrets: Secrets) -> str | None:
    if without != within:
        return difference(without, within)
    if '"INTERNAL"' in within:
        return f"crashes: {within[:300]}"
    is_read = not document.text.startswith("mutation")
    if is_read and CANARY in within and CANARY not in json.dumps(document.variables):
        return f"shows {within[max(0, within.index(CANARY) - 80) :][:160]}"
    if names_a_cursor(document, secrets) and '"code":' not in within:
        return f"takes another's cursor: {within[:200]}"
    return None


async def _statements_apart(worlds: Worlds, document: Document) -> str | None:
    """How many statements were run, and which: the time they take can be measured."""
    if document.text.startswith("mutation"):
        return None
    some, others = set(), set()
    for _ in range(TRIES):
        some.add(_statements(worlds.without))
        others.add(_statements(worlds.within))
        if some & others:
            return None
        await worlds.answers(document)
    return f"runs {worlds.without.statements} or {worlds.within.statements}"


def _statements(world: World) -> tuple[frozenset[str], int]:
    # A deep answer asks for many slices, which are merged as they come in.
    return frozenset(world.statements), min(len(world.statements), MANY)


def names_a_cursor(document: Document, secrets: Secrets) -> bool:
    place, _, value = document.about.partition("(")[2].partition(": ")
    return place in {"after", "before"} and value.strip("')") in secrets.cursors


def difference(some: str, others: str) -> str:
    """Where two answers part."""
    start = next(
        (at for at, (one, other) in enumerate(zip(some, others, strict=False)) if one != other), 0
    )
    around = slice(max(0, start - 100), start + 60)
    return f"{some[around]!r} or {others[around]!r}"
