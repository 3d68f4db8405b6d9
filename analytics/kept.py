"""Kept answers of slices, each with the version its data had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from analytics.answer import Answer
from analytics.slices import Slice
from storage.cache import Cache, CacheStatus
from storage.feed.versions import Tags, Versions

# To read so much takes about a millisecond.
LARGE_BYTES = 64 * 1024
WRITTEN_AFTER_SECONDS = 0.05


class Entry(NamedTuple):
    """An answer, as bytes once it is written, and the version of its data."""

    version: str
    answer: Answer | bytes


class _Unwritten(NamedTuple):
    version: str
    answer: Answer


class KeptAnswers:
    """Finds and keeps answers; whether an entry may be used is decided by its version.

    Answers are written a moment later and together: to write each by itself would cost a miss a
    tenth of its time.
    """

    def __init__(
        self,
        cache: Cache,
        versions: Versions,
        observe: Callable[[CacheStatus], None] = lambda _source: None,
    ) -> None:
        self.versions = versions
        self._cache = cache
        self._observe = observe
        self._unwritten: dict[Slice, _Unwritten] = {}
        self._writing: asyncio.Task[None] | None = None

    async def find(self, questions: Sequence[Slice]) -> dict[Slice, Entry]:
        """The entries of those questions that have one, whatever their version."""
        found = {
            each: Entry(*self._unwritten[each]) for each in questions if each in self._unwritten
        }
        keys = {question.key(): question for question in questions if question not in found}
        entries = await self._cache.find(list(keys)) if keys else {}
        return found | {keys[key]: _unpacked(entry.body) for key, entry in entries.items()}

    def keep(self, answers: Mapping[Slice, Answer], versions: Mapping[Tags, str]) -> None:
        """Keep answers under the versions they were read with."""
        for question, answer in answers.items():
            self._unwritten[question] = _Unwritten(versions[question.tags()], answer)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="keep-answers")

    def count(self, hits: int, misses: int) -> None:
        for source, times in ((CacheStatus.HIT, hits), (CacheStatus.MISS, misses)):
            for _ in range(times):
                self._observe(source)

    async def settled(self) -> None:
        """Wait until all that is to be kept has been written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        try:
            while self._unwritten:
                await asyncio.sleep(WRITTEN_AFTER_SECONDS)
                entries, self._unwritten = self._unwritten, {}
                bodies: dict[str, bytes] = {}
                for question, (version, answer) in entries.items():
                    bodies[question.key()] = version.encode() + b"\n" + answer.to_bytes()
                    await asyncio.sleep(0)  # others have their turn between two answers
                await self._cache.keep(bodies)
        finally:
            self._writing = None


def _unpacked(value: bytes) -> Entry:
    version, _, body = value.partition(b"\n")
    return Entry(version.decode(), body)


async def decoded(entries: Iterable[tuple[Slice, Entry]]) -> dict[Slice, Answer]:
    answers: dict[Slice, Answer] = {}
    for question, (_, answer) in entries:
        if isinstance(answer, Answer):
            answers[question] = answer
            continue
        if len(answer) > LARGE_BYTES:
            await asyncio.sleep(0)
        answers[question] = Answer.from_bytes(answer)
    return answers
