"""Durations count as the client library's own counter and histogram do."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gateway.durations import WAITING_AT_MOST, Described, Durations

BOUNDS_SECONDS = (0.25, 0.5, 1, 2.5)
COUNTER = Described("works", "How often.")
HISTOGRAM = Described("work_seconds", "How long.")

# Sums of quarters are exact in any order.
observed = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 20).map(lambda n: n / 4))
)


def counted() -> Durations:
    return Durations(HISTOGRAM, ("kind",), BOUNDS_SECONDS, COUNTER, "outcome")


def lines(registry: CollectorRegistry) -> set[str]:
    text = generate_latest(registry).decode()
    return {line for line in text.splitlines() if "_created" not in line}


@given(observed, st.integers(0, 3))
def test_equal_the_librarys(observations: list[tuple[str, str, float]], asked_every: int) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = counted()
    ours.register(durations)
    counter = Counter(*COUNTER, ["kind", "outcome"], registry=theirs)
    histogram = Histogram(*HISTOGRAM, ["kind"], registry=theirs, buckets=BOUNDS_SECONDS)
    for number, (kind, outcome, seconds) in enumerate(observations):
        durations.observe((kind, outcome), seconds)
        counter.labels(kind, outcome).inc()
        histogram.labels(kind).observe(seconds)
        if asked_every and number % asked_every == 0:
            lines(ours)
    assert lines(ours) == lines(theirs)


def test_do_not_grow_with_what_they_count() -> None:
    durations = counted()
    for _ in range(3 * WAITING_AT_MOST + 1):
        durations.observe(("a", "x"), 0.25)
    assert sum(map(len, durations._waiting.values())) == 1
    times, _seconds = durations.collect()
    assert times.samples[0].value == 3 * WAITING_AT_MOST + 1
