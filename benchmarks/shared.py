"""Measures one question from twenty viewers of one scope, beside a bare application that returns
the same bytes: the answer is computed once and cached for all of them."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.asking import Asked, Speed, asked
from benchmarks.client import Client, Response, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.load import Request
from benchmarks.measure import memory_mb
from benchmarks.processes import bare
from benchmarks.questions import QUESTIONS, Question, is_closed
from benchmarks.stage import Stage, headers_of

VIEWERS = 20
KEPT_AFTER_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings of a gateway, and its goal as a fraction of the bare application's speed."""

    name: str
    settings: Mapping[str, str]
    goal: float


VARIANTS = (
    Variant("limits off", {}, 0.25),
    Variant(
        "authentication and Redis limits",
        # Limits are on, with budgets so large that no request is refused.
        {
            "RATE_LIMIT_ENABLED": "1",
            "RATE_LIMIT_MAX": "1000000",
            "RATE_LIMIT_BURST": "1000000",
            "RATE_LIMIT_COST_MAX": "1000000000",
        },
        0.15,
    ),
)


@dataclass(frozen=True, slots=True)
class Shared:
    """The rates of one question, of each variant and of the bare application."""

    question: Question
    answer_bytes: int
    bare: Speed
    variants: list[Speed]


async def shared(stage: Stage, effort: Effort) -> tuple[list[Shared], float]:
    """Measures all questions; returns also the first gateway's memory after them, in MB."""
    viewers = [headers_of(f"viewer-{number}") for number in range(VIEWERS)]
    with ExitStack() as stack:
        sides = [stack.enter_context(asked(stage, **each.settings)) for each in VARIANTS]
        for side in sides:
            await wait_until_ready(side.port)
        results = [await _compare(question, sides, viewers, effort) for question in QUESTIONS]
        return results, memory_mb(sides[0].child.pid)


async def _compare(
    question: Question, sides: list[Asked], viewers: list[dict[str, str]], effort: Effort
) -> Shared:
    stage = sides[0].stage
    drawn = question.asked("shared", stage.now)
    body = question.body(next(each for each in drawn if is_closed(each, stage.now)))
    requests = [Request(body, headers) for headers in viewers]
    answers = [await _kept(side.port, requests[0]) for side in sides]
    file = stage.folder / "answer.json"
    file.write_bytes(answers[0].body)
    with bare(file, answers[0].headers["content-type"]) as started:
        everyone = [Asked(stage, *started), *sides]
        await wait_until_ready(everyone[0].port)
        speeds = [await side.load(requests, effort.turn_seconds) for side in everyone]
        for _ in range(effort.turns - 1):
            for index, side in enumerate(everyone):
                speeds[index] += await side.load(requests, effort.turn_seconds)
    ratio = speeds[1].per_cpu_second / speeds[0].per_cpu_second
    print(f"shared: {question.name}: {ratio:.2f} of the bare application", flush=True)
    return Shared(question, len(answers[0].body), speeds[0], speeds[1:])


async def _kept(port: int, request: Request) -> Response:
    """Returns the response once it comes from the gateway's own memory."""
    client = await Client.connect(port)
    try:
        # A new process caches nothing until it has read the versions of its data.
        for _ in range(KEPT_AFTER_ATTEMPTS):
            answer = await client.post("/graphql", request.body, dict(request.headers))
            if answer.status == 200 and "; hit" in answer.headers.get("cache-status", ""):
                return answer
            await asyncio.sleep(0.05)
    finally:
        await client.close()
    raise RuntimeError(f"not a kept answer: {answer.headers} {answer.body[:300]!r}")
