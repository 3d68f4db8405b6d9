"""Puts questions that come while others are being answered together into the next round."""

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
    """Nobody waits for company: a question that comes alone is asked at once.

    ``ask`` answers a list of questions in their order; what it raises, each of them is told.
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
            # A task of its own: whoever asks may leave, and the others stay.
            self._asking = asyncio.create_task(self._go_on(), name="batches")
        return await answered

    async def _go_on(self) -> None:
        try:
            while batch := self._waiting[: self._at_most]:
                del self._waiting[: self._at_most]
                await self._answer(batch)
        finally:
            self._asking = None
            left, self._waiting = self._waiting, []
            for each in left:  # some only where this was cancelled
                each.answered.cancel()

    async def _answer(self, batch: Sequence[_Waiting[Question, Answer]]) -> None:
        try:
            answers = await self._ask([each.question for each in batch])
        except asyncio.CancelledError:
            for each in batch:
                each.answered.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to those who asked
            for each in batch:
                if not each.answered.done():
                    each.answered.set_exception(error)
            return
        for each, answer in zip(batch, answers, strict=True):
            if not each.answered.done():  # else whoever asked has gone
                each.answered.set_result(answer)
