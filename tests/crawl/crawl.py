"""The crawl itself: which documents are answered otherwise because another tenant is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.crawl.documents import Document
from tests.crawl.secrets import Secrets
from tests.crawl.world import CANARY, Worlds

# Parts of a deep answer are loaded together or one after the other, as it happens.
TRIES = 4


@dataclass(frozen=True, slots=True)
class Leak:
    """A document whose answer depends on the other tenant."""

    about: str
    what: str


async def leaks(worlds: Worlds, documents: Iterable[Document], secrets: Secrets) -> list[Leak]:
    """Each document is asked in both worlds, in the same order."""
    found = []
    for document in documents:
        if (what := await _leak(worlds, document, secrets)) is not None:
            found.append(Leak(document.about, what))
    return found


async def _leak(worlds: Worlds, document: Document, secrets: Secrets) -> str | None:
    without, within = await worlds.answers(document)
    if without != within:
        return difference(without, within)
    if '"INTERNAL"' in within:
        return f"crashes: {within[:300]}"
    is_read = not document.text.startswith("mutation")
    if is_read and CANARY in within and CANARY not in json.dumps(document.variables):
        return f"shows {within[max(0, within.index(CANARY) - 80) :][:160]}"
    if names_a_cursor(document, secrets) and '"code":' not in within:
        return f"takes another's cursor: {within[:200]}"
    return await _statements_apart(worlds, document)


async def _statements_apart(worlds: Worlds, document: Document) -> str | None:
    """How many statements were run, and which: the time they take can be measured."""
    if document.text.startswith("mutation"):
        return None
    for _ in range(TRIES):
        if _same(worlds.without.statements, worlds.within.statements):
            return None
        await worlds.answers(document)
    return f"runs {worlds.without.statements} or {worlds.within.statements}"


def _same(some: Sequence[str], others: Sequence[str]) -> bool:
    # A deep answer asks for many slices, which are merged as they come in.
    return sorted(set(some)) == sorted(set(others)) and (
        len(some) == len(others) or min(len(some), len(others)) > 8
    )


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
