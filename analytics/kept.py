"""Kept answers of slices, each with the version its data had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from analytics.answer import Answer
from analytics.slices import Slice
from storage.cache import Cache, Source
from storage.versions import Tags, Versions

# To write or read so much takes about a millisecond.
LARGE_BYTES = 64 * 1024


class Entry(NamedTuple):
    """An answer as bytes, and the version of its data."""

    version: str
    body: bytes


class KeptAnswers:
    """Finds and keeps answers; whether an entry may be used is decided by its version."""

    def __init__(
        self,
        cache: Cache,
        versions: Versions,
        observe: Callable[[Source], None] = lambda _source: None,
    ) -> None:
        self.versions = versions
        self._cache = cache
        self._observe = observe
        self._writing: set[asyncio.Task[None]] = set()

    async def find(self, questions: Sequence[Slice]) -> dict[Slice, Entry]:
        """The entries of those questions that have one, whatever their version."""
        keys = {question.key(): question for question in questions}
        found = await self._cache.find(list(keys))
        return {keys[key]: _unpacked(entry.body) for key, entry in found.items()}

    def keep(self, answers: Mapping[Slice, Answer], versions: Mapping[Tags, str]) -> None:
        """Keep answers under the versions they were read with, after this turn of the loop."""
        task = asyncio.create_task(self._keep(answers, versions), name="keep-answers")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def count(self, hits: int, misses: int) -> None:
        for source, times in ((Source.HIT, hits), (Source.MISS, misses)):
            for _ in range(times):
                self._observe(source)

    async def settled(self) -> None:
        """Wait until all that is to be kept has been written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _keep(self, answers: Mapping[Slice, Answer], versions: Mapping[Tags, str]) -> None:
        await asyncio.sleep(0)  # whoever waits for the answers goes first
        bodies: dict[str, bytes] = {}
        for question, answer in answers.items():
            body = answer.to_bytes()
            bodies[question.key()] = versions[question.tags()].encode() + b"\n" + body
            await give_way(body)
        await self._cache.keep(bodies)


def _unpacked(value: bytes) -> Entry:
    version, _, body = value.partition(b"\n")
    return Entry(version.decode(), body)


async def decoded(entries: Iterable[tuple[Slice, Entry]]) -> dict[Slice, Answer]:
    answers: dict[Slice, Answer] = {}
    for question, entry in entries:
        await give_way(entry.body)
        answers[question] = Answer.from_bytes(entry.body)
    return answers


async def give_way(body: bytes) -> None:
    """Let others have their turn between two answers that take milliseconds each."""
    if len(body) > LARGE_BYTES:
        await asyncio.sleep(0)
