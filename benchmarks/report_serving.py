"""The report's part about answers that are kept, and what is around an answer."""

from collections.abc import Iterator, Sequence

from benchmarks.asking import CONNECTIONS, Speed
from benchmarks.layers import Layer
from benchmarks.shared import VARIANTS, VIEWERS, Shared
from benchmarks.tables import met, row, table


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
            f"{ratio:.2f}",
            met(ratio >= goal),
        )
    )


def middleware(layers: Sequence[Layer]) -> Iterator[str]:
    yield "## Middleware"
    yield ""
    yield "Processor time around a ready answer, from the inside out, without the HTTP server."
    yield ""
    yield from table("layer", "µs")
    yield from (row((name, f"{cost_us:.1f}")) for name, cost_us in layers)
    yield row(("all of it", f"{sum(cost_us for _, cost_us in layers):.1f}"))
    yield ""
