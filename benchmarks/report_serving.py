"""The part of the report about cached answers and about the middleware."""

from collections.abc import Iterator, Sequence

from benchmarks.asking import CONNECTIONS, Speed
from benchmarks.busy import EVENTS_PER_SECOND, LATE_PART, RANGES, REQUESTS_PER_SECOND, Busy
from benchmarks.layers import Layer
from benchmarks.shared import VARIANTS, VIEWERS, Shared
from benchmarks.tables import FIGURE_HEADS, figure, met, row, table

HIT_RATE_GOAL = 0.95
AGE_GOAL_SECONDS = 1.0


def viewers(results: Sequence[Shared]) -> Iterator[str]:
    yield f"## The same question from {VIEWERS} viewers of one scope"
    yield ""
    yield (
        f"Twenty tokens in turn over {CONNECTIONS} kept connections from a process of its own, "
        "beside a bare Starlette application that returns the same bytes of the same media type. "
        "The goal is for the ratio of requests per CPU-second; that of requests per second is what "
        "is left where client, gateway and kernel share two cores. A log line is written for each "
        "request, to a file."
    )
    for index, variant in enumerate(VARIANTS):
        yield ""
        yield f"### {variant.name[0].upper()}{variant.name[1:]}: goal {variant.goal:.2f}"
        yield ""
        yield from table(
            "question",
            "bytes",
            "/s",
            "bare /s",
            "ratio",
            "gateway CPU µs",
            "Redis CPU µs",
            "bare CPU µs",
            "CPU ratio",
            "",
        )
        for each in results:
            yield _speed_row(each, each.variants[index], variant.goal)
    yield ""


def _speed_row(each: Shared, speed: Speed, goal: float) -> str:
    ratio = speed.per_cpu_second / each.bare.per_cpu_second
    return row(
        (
            each.question.name,
            f"{each.answer_bytes:,}",
            f"{speed.per_second:,.0f}",
            f"{each.bare.per_second:,.0f}",
            f"{speed.per_second / each.bare.per_second:.2f}",
            f"{1_000 * speed.cpu_ms(speed.used.gateway):.0f}",
            f"{1_000 * speed.cpu_ms(speed.used.redis):.0f}",
            f"{1_000 * each.bare.cpu_ms(each.bare.used.gateway):.0f}",
            f"{ratio:.3f}",
            met(ratio >= goal),
        )
    )


def meanwhile(result: Busy) -> Iterator[str]:
    yield f"### While that project takes in {EVENTS_PER_SECOND:,} events a second"
    yield ""
    yield (
        f"{LATE_PART:.0%} of them up to two days late, through a second gateway. {VIEWERS} viewers "
        f"ask about {RANGES} ranges of the project, {REQUESTS_PER_SECOND:.0f} requests a second "
        "together. The hit rate is that of whole answers and aggregates in the gateway's own "
        "metrics; an answer's age is the time since its `asOf`."
    )
    yield ""
    yield from table(*FIGURE_HEADS)
    yield figure("events taken in", f"{result.events_per_second:,.0f}/s")
    untouched, running = result.untouched, result.running
    yield figure(
        "hit rate of ranges that no event touches",
        f"{untouched.hit_rate:.3f}",
        f"{HIT_RATE_GOAL}",
        untouched.hit_rate >= HIT_RATE_GOAL,
    )
    yield figure("their p95", f"{untouched.p95_ms:.1f} ms")
    yield figure("hit rate of ranges that late events touch", f"{result.touched.hit_rate:.3f}")
    yield figure("their p95", f"{result.touched.p95_ms:.1f} ms")
    yield figure("hit rate of ranges that still run", f"{running.hit_rate:.3f}")
    yield figure("their p95", f"{running.p95_ms:.1f} ms")
    oldest = running.oldest_seconds
    yield figure(
        "the oldest of their answers",
        f"{oldest:.2f} s",
        f"{AGE_GOAL_SECONDS:.0f} s",
        oldest <= AGE_GOAL_SECONDS,
    )
    yield figure(
        f"one range that no event touches, as fast as {CONNECTIONS} connections can",
        f"{result.speed.per_second:,.0f}/s, "
        f"{1_000 * result.speed.cpu_ms(result.speed.used.gateway):.0f} µs of the gateway's CPU",
    )
    yield ""


def middleware(layers: Sequence[Layer]) -> Iterator[str]:
    yield "## Middleware"
    yield ""
    yield "Processor time around a ready answer, from the inside out, without the HTTP server."
    yield ""
    yield from table("layer", "µs")
    yield from (row((name, f"{cost_us:.1f}")) for name, cost_us in layers)
    yield row(("all of it", f"{sum(cost_us for _, cost_us in layers):.1f}"))
    yield ""
