"""The part of the report about uncached answers: time, processor time, growth."""

from collections.abc import Iterator, Sequence

from benchmarks.asking import CONNECTIONS, Speed
from benchmarks.backends import AT_ONCE, Backends
from benchmarks.cold import Cold
from benchmarks.comparison import Compared
from benchmarks.misses import Miss
from benchmarks.tables import FIGURE_HEADS, figure, met, row, table

CACHES_ON_GOAL = 1.1
GROWTH_GOAL = 1.3
BACKEND_GOAL_MB = 80
PARTITIONS_GOAL = 100


def questions(misses: Sequence[Miss], deployments: int) -> Iterator[str]:
    yield f"## Six questions, {deployments:,} deployments, each time with other variables"
    yield ""
    yield (
        "Over HTTP with caches off, one request at a time. SQL is what the product sends to "
        "Postgres for the same question, over one connection. Goal of the median: twice the SQL + "
        "1 ms, and 6 ms for the overview, 3 ms for the list; of the overview's p95: 15 ms."
    )
    yield ""
    yield from table("question", "median ms", "p95 ms", "SQL ms", "SQL p95 ms", "goal ms", "")
    for each in misses:
        own, sql = each.floor.own, each.floor.other
        yield row(
            (
                each.question.name,
                f"{own.median_ms:.2f}",
                f"{own.p95_ms:.2f}",
                f"{sql.median_ms:.2f}",
                f"{sql.p95_ms:.2f}",
                _goal_text(each),
                met(_in_time(each)),
            )
        )
    yield ""
    yield from _caches(misses)
    yield from _processors(misses)
    yield from _growth(misses, deployments)


def _goal_text(miss: Miss) -> str:
    p95_ms = miss.question.goal.p95_ms
    return f"{miss.goal_ms:.2f}" + ("" if p95_ms is None else f", p95 {p95_ms:.0f}")


def _in_time(miss: Miss) -> bool:
    own, p95_ms = miss.floor.own, miss.question.goal.p95_ms
    return own.median_ms <= miss.goal_ms and (p95_ms is None or own.p95_ms <= p95_ms)


def _caches(misses: Sequence[Miss]) -> Iterator[str]:
    yield "### Default settings beside caches off"
    yield ""
    yield "Two processes asked the same in turn; nothing of it is kept yet, so both compute."
    yield ""
    yield from table("question", "on ms", "on p95 ms", "off ms", "ratio", "goal", "")
    for each in misses:
        on, off, ratio = each.caches.own, each.caches.other, each.caches.ratio
        yield row(
            (
                each.question.name,
                f"{on.median_ms:.2f}",
                f"{on.p95_ms:.2f}",
                f"{off.median_ms:.2f}",
                f"{ratio:.2f}",
                f"{CACHES_ON_GOAL}",
                met(ratio <= CACHES_ON_GOAL),
            )
        )
    yield ""


def _processors(misses: Sequence[Miss]) -> Iterator[str]:
    yield "### Under load"
    yield ""
    yield (
        f"From a process of its own over {CONNECTIONS} connections, other variables in every "
        "request. CPU is per request; what stands in brackets is with default settings."
    )
    yield ""
    yield from table(
        "question",
        "/s",
        "gateway CPU ms",
        "Postgres CPU ms",
        "Redis CPU ms",
        "per CPU-second of the gateway",
        "goal",
        "",
    )
    for each in misses:
        off, on, goal = each.off, each.on, each.question.goal.per_cpu_second
        yield row(
            (
                each.question.name,
                f"{off.per_second:,.0f} ({on.per_second:,.0f})",
                f"{off.cpu_ms(off.used.gateway):.2f} ({on.cpu_ms(on.used.gateway):.2f})",
                f"{off.cpu_ms(off.used.postgres):.2f} ({on.cpu_ms(on.used.postgres):.2f})",
                f"{off.cpu_ms(off.used.redis):.2f} ({on.cpu_ms(on.used.redis):.2f})",
                f"{off.per_cpu_second:,.0f} ({on.per_cpu_second:,.0f})",
                "" if goal is None else f"{goal:,.0f}",
                "" if goal is None else met(off.per_cpu_second >= goal),
            )
        )
    yield ""


def _growth(misses: Sequence[Miss], deployments: int) -> Iterator[str]:
    yield f"### Growth from {deployments // 10:,} to {deployments:,} deployments"
    yield ""
    yield "Caches off; projects and series are the same."
    yield ""
    yield from table("question", "before ms", "after ms", "ratio", "goal", "")
    for each in misses:
        whole, tenth, ratio = each.growth.own, each.growth.other, each.growth.ratio
        yield row(
            (
                each.question.name,
                f"{tenth.median_ms:.2f}",
                f"{whole.median_ms:.2f}",
                f"{ratio:.2f}",
                f"{GROWTH_GOAL}",
                met(ratio <= GROWTH_GOAL),
            )
        )
    yield ""


def first_requests(colds: Sequence[Cold], starts: int) -> Iterator[str]:
    yield "### The first request after a start"
    yield ""
    yield (
        f"Default settings, a new process that says it is ready, an empty Redis; the median of "
        f"{starts} starts, and of the same question with other variables right after it."
    )
    yield ""
    yield from table("question", "first ms", "second ms")
    for each in colds:
        yield row((each.question.name, f"{each.first_ms:.1f}", f"{each.second_ms:.1f}"))
    yield ""


def peers(results: Sequence[Compared]) -> Iterator[str]:
    yield "## Beside PostGraphile"
    yield ""
    yield (
        "PostGraphile 5 with its plug-ins for aggregates and filters reads the same tables: it "
        "groups and counts deployments, for it knows no roll-ups. It is asked in turn with the "
        "gateway, which has default settings and nothing of the answer kept, and every answer of "
        "one is compared with that of the other. A ratio above 1 means that the gateway is faster."
        " Under load there are as many connections to each, and the CPU is that of its process."
    )
    yield ""
    yield from table(
        "question",
        "gateway ms, p95",
        "PostGraphile ms, p95",
        "ratio",
        "goal",
        "",
        "gateway /s, CPU ms",
        "PostGraphile /s, CPU ms",
    )
    for each in results:
        yield row(
            (
                each.asked.question.name,
                f"{each.ours.median_ms:.2f}, {each.ours.p95_ms:.2f}",
                f"{each.theirs.median_ms:.2f}, {each.theirs.p95_ms:.2f}",
                f"{each.ratio:.2f}",
                f"{each.asked.goal}",
                met(each.ratio >= each.asked.goal),
                _under_load(each.our_load),
                _under_load(each.their_load),
            )
        )
    yield ""


def _under_load(speed: Speed) -> str:
    return f"{speed.per_second:,.0f}, {speed.cpu_ms(speed.used.gateway):.2f}"


def postgres_memory(result: Backends) -> Iterator[str]:
    yield f"## Postgres after {result.questions:,} different questions over a year"
    yield ""
    yield (
        "A gateway that keeps everything for more than a year is asked `metrics` of any fact with "
        "any measures, groups, filters, intervals and zones, and the six questions, "
        f"{AT_ONCE} at once. There are rows of deployments and invocations. Private memory is "
        "what a backend shares with no other process."
    )
    yield ""
    yield from table(*FIGURE_HEADS)
    yield figure("backends", f"{len(result.memory_mb)}")
    yield figure("private memory of a backend, median", f"{result.median_mb:.0f} MB")
    yield figure(
        "private memory of a backend, most",
        f"{result.most_mb:.0f} MB",
        f"{BACKEND_GOAL_MB} MB",
        result.most_mb <= BACKEND_GOAL_MB,
    )
    yield figure(
        "partitions",
        f"{result.partitions}",
        f"under {PARTITIONS_GOAL}",
        result.partitions < PARTITIONS_GOAL,
    )
    alone, at_once = result.alone, result.at_once
    yield figure(
        f"`metrics` of deployments, {len(alone.milliseconds)} shapes one at a time, median and p95",
        f"{alone.median_ms:.1f} ms, {alone.p95_ms:.1f} ms",
    )
    yield figure(
        f"all questions, {AT_ONCE} at once",
        f"{at_once.per_second:,.0f}/s, {at_once.cpu_ms(at_once.used.gateway):.1f} ms of the "
        f"gateway's CPU, {at_once.cpu_ms(at_once.used.postgres):.1f} ms of Postgres' each",
    )
    yield ""
