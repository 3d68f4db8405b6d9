"""Joins questions that arrive while others are being answered into one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Question, Answer]):
    question: Question
    answered: asyncio.Future[Answer]


class Batches(Generic[Question, Answer]):
    """Asks a lone question at once, and the questions that arrive meanwhile together next.

    ``ask`` answers a list of questions in order; its error is raised to each caller.
    """

    def __init__(
        self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], at_most: int
    ) -> None:
        self._ask = ask
        self._at_most = at_most
        self._waiting: list[_Waiting[Question, Answer]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(question, answered))
        if self._asking is None:
            # A task of its own, so that cancelling one caller leaves the others waiting.
            self._asking = asyncio.create_task(self._ask_until_empty(), name="batches")
        return await answered

    async def _ask_until_empty(self) -> None:
        try:
            while batch := self._waiting[: self._at_most]:
                del self._waiting[: self._at_most]
                await self._answer(batch)
        finally:
            self._asking = None
            left, self._waiting = self._waiting, []
            for waiting in left:  # there are some only if this was cancelled
                waiting.answered.cancel()

    async def _answer(self, batch: Sequence[_Waiting[Question, Answer]]) -> None:
        try:
            answers = await self._ask([waiting.question for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.answered.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - any error is raised to the callers
            for waiting in batch:
                if not waiting.answered.done():
                    waiting.answered.set_exception(error)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answered.done():  # a cancelled caller's is
                waiting.answered.set_result(answer)
