"""Measures uncached answers: their time beside that of their SQL, with caches off and on, and over
a tenth of the data; and their processor time."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from benchmarks.asking import CACHES_OFF, Asker, Speed, asked
from benchmarks.effort import Effort
from benchmarks.floor import Floor, floor
from benchmarks.measure import WARM_UP_ROUNDS, Round, Times, in_turn
from benchmarks.questions import QUESTIONS, Question, Variables
from benchmarks.stage import Stage


@dataclass(frozen=True, slots=True)
class Beside:
    """The times of one side and of the other, which got the same questions in turn."""

    own: Times
    other: Times

    @property
    def ratio(self) -> float:
        return self.own.median_ms / self.other.median_ms


@dataclass(frozen=True, slots=True)
class Miss:
    """The times of a question: caches off beside its SQL, caches on beside off, all data beside a
    tenth of it; then its speed under load with caches off and on."""

    question: Question
    floor: Beside
    caches: Beside
    growth: Beside
    off: Speed
    on: Speed

    @property
    def goal_ms(self) -> float:
        return self.question.goal.milliseconds(self.floor.other.median_ms)


@dataclass(frozen=True, slots=True)
class _Sides:
    small: Asker
    off: Asker
    on: Asker
    floor: Floor


async def misses(small: Stage, large: Stage, effort: Effort) -> list[Miss]:
    """Measures all questions, two sides at a time: a third side would find the processor's caches
    filled by the second."""
    results = []
    async with _sides(small, large) as sides:
        for question in QUESTIONS:
            miss = await _measure(question, sides, large, effort)
            results.append(miss)
            print(
                f"miss: {question.name}: {miss.floor.own.median_ms:.2f} ms, SQL"
                f" {miss.floor.other.median_ms:.2f} ms, caches on {miss.caches.ratio:.2f},"
                f" growth {miss.growth.ratio:.2f}",
                flush=True,
            )
    return results


@asynccontextmanager
async def _sides(small: Stage, large: Stage) -> AsyncIterator[_Sides]:
    async with AsyncExitStack() as stack:

        async def asker(stage: Stage, **settings: str) -> Asker:
            started = await stack.enter_context(asked(stage, **settings)).connect()
            stack.push_async_callback(started.close)
            return started

        yield _Sides(
            await asker(small, **CACHES_OFF),
            await asker(large, **CACHES_OFF),
            await asker(large),
            await stack.enter_async_context(floor(large.url)),
        )


async def beside_floor(question: Question, asker: Asker, floor: Floor, rounds: int) -> Beside:
    """Asks a question and sends its statements alone, in turn."""
    drawn = question.asked("floor", asker.gateway.stage.now)
    variables = list(islice(drawn, rounds + WARM_UP_ROUNDS))
    read = [await floor.statements(question, each) for each in variables]
    times = await in_turn(
        rounds,
        lambda number: asker.ask(question, variables[number]),
        lambda number: floor.run(read[number]),
    )
    return Beside(*times)


async def _measure(question: Question, sides: _Sides, stage: Stage, effort: Effort) -> Miss:
    rounds = effort.rounds

    def drawn(purpose: str) -> list[Variables]:
        return list(islice(question.asked(purpose, stage.now), rounds + WARM_UP_ROUNDS))

    def asks(asker: Asker, variables: list[Variables]) -> Round:
        return lambda number: asker.ask(question, variables[number])

    second, third = drawn("caches"), drawn("growth")
    return Miss(
        question,
        await beside_floor(question, sides.off, sides.floor, rounds),
        Beside(*await in_turn(rounds, asks(sides.on, second), asks(sides.off, second))),
        Beside(*await in_turn(rounds, asks(sides.off, third), asks(sides.small, third))),
        await sides.off.gateway.load_question(question, effort.load_seconds),
        await sides.on.gateway.load_question(question, effort.load_seconds),
    )
