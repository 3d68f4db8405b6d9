"""Joins questions that arrive while others are being answered into one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batches(Generic[Question, Answer]):
    """Asks a lone question at once, and the questions that arrive meanwhile together next.

    ``ask`` answers a list of questions in order; its error is raised to each caller.
    """

    def __init__(
        self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], at_most: int
    ) -> None:
        self._ask = ask
        self._at_most = at_most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answered))
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
            for _, answered in left:  # there are some only if this was cancelled
                answered.cancel()

    async def _answer(self, batch: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._ask([question for question, _ in batch])
        except asyncio.CancelledError:
            for _, answered in batch:
                answered.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - any error is raised to the callers
            for _, answered in batch:
                if not answered.done():
                    answered.set_exception(error)
            return
        for (_, answered), answer in zip(batch, answers, strict=True):
            if not answered.done():  # a cancelled caller's is
                answered.set_result(answer)
