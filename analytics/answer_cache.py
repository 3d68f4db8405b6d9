"""The answer cache: answers by slice, each with the version of its data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from analytics.answer import Answer
from analytics.slices import Slice
from storage.cache import Cache, CacheStatus
from storage.feed.versions import Tags, Versions

# Decoding this much takes about a millisecond.
LARGE_BYTES = 64 * 1024
WRITE_DELAY_SECONDS = 0.05


class CachedAnswer(NamedTuple):
    """An answer, as bytes once it is written, and the version of its data."""

    version: str
    answer: Answer | bytes


class AnswerCache:
    """Answers by slice, each with the version of the data it was read from.

    A caller compares that version with the current one before it uses an entry. Answers are
    written together after a short delay: writing each by itself would add a tenth to a miss. Ages
    are not kept: they change without any event.
    """

    def __init__(
        self,
        cache: Cache,
        versions: Versions,
        observe: Callable[[CacheStatus], None] = lambda _status: None,
    ) -> None:
        self.versions = versions
        self._cache = cache
        self._observe = observe
        self._unwritten: dict[Slice, CachedAnswer] = {}
        self._writing: asyncio.Task[None] | None = None

    async def find(self, questions: Sequence[Slice]) -> dict[Slice, CachedAnswer]:
        """Returns the entries that exist, whatever their version."""
        found = {
            question: self._unwritten[question]
            for question in questions
            if question in self._unwritten
        }
        missing = (each for each in questions if not each.ages and each not in found)
        keys = {question.key(): question for question in missing}
        entries = await self._cache.find(list(keys)) if keys else {}
        return found | {keys[key]: _unpack(entry.body) for key, entry in entries.items()}

    def store(self, answers: Mapping[Slice, Answer], versions: Mapping[Tags, str]) -> None:
        """Stores answers under the versions they were read with."""
        for question, answer in answers.items():
            if not question.ages:
                self._unwritten[question] = CachedAnswer(versions[question.tags()], answer)
        if self._unwritten and self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="keep-answers")

    def count(self, hits: int, misses: int) -> None:
        """Counts look-ups in the metrics."""
        for status, times in ((CacheStatus.HIT, hits), (CacheStatus.MISS, misses)):
            for _ in range(times):
                self._observe(status)

    async def settled(self) -> None:
        """Waits until all stored answers are written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        try:
            while self._unwritten:
                await asyncio.sleep(WRITE_DELAY_SECONDS)
                entries, self._unwritten = self._unwritten, {}
                bodies: dict[str, bytes] = {}
                for question, (version, answer) in entries.items():
                    assert isinstance(answer, Answer)
                    bodies[question.key()] = version.encode() + b"\n" + answer.to_bytes()
                    await asyncio.sleep(0)  # lets other tasks run between two answers
                await self._cache.keep(bodies)
        finally:
            self._writing = None


def _unpack(value: bytes) -> CachedAnswer:
    version, _, body = value.partition(b"\n")
    return CachedAnswer(version.decode(), body)


async def decode(entries: Iterable[tuple[Slice, CachedAnswer]]) -> dict[Slice, Answer]:
    """Returns the answers of cache entries."""
    answers: dict[Slice, Answer] = {}
    for question, (_, answer) in entries:
        if isinstance(answer, Answer):
            answers[question] = answer
            continue
        if len(answer) > LARGE_BYTES:
            await asyncio.sleep(0)
        answers[question] = Answer.from_bytes(answer)
    return answers
