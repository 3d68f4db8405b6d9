"""The part of the report about the dashboard in a browser."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.audit import CATEGORIES, Audit
from benchmarks.pages import AUDITS, EVENTS_PER_SECOND, LOADS, LONG_FRAME_MS, Pages
from benchmarks.tables import FIGURE_HEADS, figure, table

PAINTED_MS = 800
INTERACTIVE_MS = 1_500
REQUEST_MS = 20
SCORES = dict(zip(CATEGORIES, (95, 100, 100), strict=True))
GROWN_MB = 2
LONG_SHARE = 0.01


def pages(found: Pages, deployments: int) -> Iterator[str]:
    left = found.left
    yield "## The dashboard in a browser"
    yield ""
    yield (
        f"The overview of {deployments:,} deployments, a tenth as many invocations of functions, "
        "errors of all projects and the demo, in headless Chromium, on the cores of the gateway: "
        f"{AUDITS} audits by Lighthouse with its desktop preset and {LOADS} visits, each with an "
        f"empty cache, then one page that is left open while {EVENTS_PER_SECOND:,} events a second "
        "are taken in. The heap is read after its garbage was collected, once the page has settled "
        "and at the end."
    )
    yield ""
    yield from table(*FIGURE_HEADS)
    yield figure(
        "first contentful paint, median",
        f"{found.painted.median_ms:.0f} ms",
        f"under {PAINTED_MS} ms",
        found.painted.median_ms < PAINTED_MS,
    )
    yield figure(
        "until its figures are there, median",
        f"{found.drawn.median_ms:.0f} ms",
        f"under {INTERACTIVE_MS} ms",
        found.drawn.median_ms < INTERACTIVE_MS,
    )
    yield from _scores(found.audits)
    yield figure(
        "the server's time for its one request while the answer is kept, median and p95",
        f"{found.kept.median_ms:.1f} ms, {found.kept.p95_ms:.1f} ms",
        f"p95 under {REQUEST_MS} ms",
        found.kept.p95_ms < REQUEST_MS,
    )
    yield figure(
        "the same for ranges that nobody asked for before",
        f"{found.anew.median_ms:.1f} ms, {found.anew.p95_ms:.1f} ms",
    )
    yield figure(
        f"heap after {left.seconds:.0f} s beside {left.events_per_second:,.0f} events a second, in "
        f"which it asked {left.requests} times",
        f"{left.settled.heap_mb:.1f} MB, then {left.ended.heap_mb:.1f} MB",
        f"at most {GROWN_MB} MB more",
        left.grown_mb <= GROWN_MB,
    )
    yield figure(
        "nodes and event listeners",
        f"{left.settled.nodes:,} and {left.settled.listeners:,}, then "
        f"{left.ended.nodes:,} and {left.ended.listeners:,}",
    )
    yield figure(
        f"frames of more than {LONG_FRAME_MS} ms, and the longest",
        f"{left.long_share:.2%} of {left.frames:,}, {left.worst_ms:.0f} ms",
        f"at most {LONG_SHARE:.0%}",
        left.long_share <= LONG_SHARE,
    )
    yield ""


def _scores(audits: Sequence[Audit]) -> Iterator[str]:
    for name, goal in SCORES.items():
        scores = [audit.scores[name] for audit in audits]
        goal_text = f"at least {goal}" if goal < 100 else "100"
        yield figure(
            f"Lighthouse, {name.replace('-', ' ')}, median and worst",
            f"{median(scores):.0f}, {min(scores)}",
            goal_text,
            median(scores) >= goal,
        )
    interactive_ms = median(each.interactive_ms for each in audits)
    yield figure(
        "its time until interactive, median",
        f"{interactive_ms:.0f} ms",
        f"under {INTERACTIVE_MS} ms",
        interactive_ms < INTERACTIVE_MS,
    )
    yield figure(
        "its time blocked and layout shift, medians",
        f"{median(each.blocked_ms for each in audits):.0f} ms, "
        f"{median(each.shift for each in audits):.3f}",
    )
