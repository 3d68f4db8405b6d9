"""Measures how often verdicts and suspects cry wolf, and how much they find:
`python -m tests.simulations N=1000` prints the tables of docs/causes.md."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from analytics.significance import ALPHA, SPIKE_DAYS, History, RateTest, Sample, spike
from analytics.suspects import CANDIDATE_WINDOW, Beginning, p_of_timing
from analytics.verdicts import Counted, Outcome, compared, overall
from analytics.watched import WATCHED
from storage.times import DAY, HOUR
from tests.simulations.real_data import alarms, by_name, deployments, recordings
from tests.simulations.streams import (
    BURSTY,
    STEADY,
    Stream,
    day_and_history,
    history_and_window,
    incidents,
    poisson,
    poisson_number,
    self_exciting,
    varying,
)

HISTORIES = (8, 28)
FACTORS = (1, 2, 4, 10)
# In this order: errors, function failures, API errors, slow calls.
PLATFORMS = {
    "steady, busy": (poisson, 20, 10, 20, 60),
    "steady, quiet": (poisson, 0.5, 0.5, 0.5, 6),
    "self-exciting, 50 %": (self_exciting(0.5), 20, 10, 20, 60),
    "self-exciting, 90 %": (self_exciting(0.9), 20, 10, 20, 60),
    "rate varies by 50 %": (varying(4), 20, 10, 20, 60),
    "incidents of 40": (incidents(40), 20, 10, 20, 60),
}
# Trials per bad event of each, so that the shares are 5 %, 1 % and 10 %.
TRIALS = (0, 20, 100, 10)


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    number = int(given.get("N", "1000"))
    single_comparisons(number)
    spikes(number // 2)
    whole_verdicts(number // 2)
    timings(number)
    real_data(number // 5)


def single_comparisons(number: int) -> None:
    """Prints the share of alarms of one comparison at the level of 1 %, nothing planted."""
    print("| stream | 8 days of history | 28 days |\n| --- | --- | --- |")
    for stream in (*STEADY, *BURSTY):
        shares = [
            _share(_is_alarm(*history_and_window(stream, days, seed)) for seed in range(number))
            for days in HISTORIES
        ]
        print(f"| {stream} | {' | '.join(shares)} |")


def _is_alarm(history: History, window: Sample) -> bool:
    return RateTest(history).change(window).is_rise


def spikes(number: int) -> None:
    """Prints the share of days on which an error has a spike, nothing planted."""
    print("\n| stream | days with a spike |\n| --- | --- |")
    for stream in (*STEADY, *BURSTY):
        drawn = (day_and_history(stream, SPIKE_DAYS, seed) for seed in range(number))
        print(f"| {stream} | {_share(spike(*each) is not None for each in drawn)} |")


def _share(found: Iterator[bool]) -> str:
    counts = Counter(found)
    return f"{counts[True] / max(1, counts.total()):.1%}".replace("%", " %")


def whole_verdicts(number: int) -> None:
    """Prints the outcomes of whole verdicts, with errors multiplied after the deployment."""
    print(
        "\n| streams | errors times | FAIL | PASS | INCONCLUSIVE |\n| --- | --- | --- | --- | --- |"
    )
    for name, (draw, *rates) in PLATFORMS.items():
        streams = [Stream(name, draw, rate) for rate in rates]
        for factor in FACTORS:
            outcomes = Counter(_outcome(streams, factor, seed) for seed in range(number))
            told = [
                f"{outcomes[each] / number:.1%}".replace("%", " %")
                for each in (Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE)
            ]
            print(f"| {name} | {factor} | {' | '.join(told)} |")


def _outcome(streams: Sequence[Stream], factor: int, seed: int) -> Outcome:
    chance = random.Random(seed)
    found = []
    for place, (watched, stream, trials) in enumerate(zip(WATCHED, streams, TRIALS, strict=True)):
        history, after = history_and_window(stream, days=15, seed=seed * 4 + place)
        before = _half(history[0][-1], chance)
        if place == 0:
            after = Sample(after.events * factor, after.exposure)
        if trials:
            many = stream.per_hour * trials
            history = [[_of_trials(each, many, chance) for each in day] for day in history]
            before, after = _of_trials(before, many, chance), _of_trials(after, many, chance)
        found.append(Counted(watched, before, after, history))
    return overall(compared(found))


def _half(hour: Sample, chance: random.Random) -> Sample:
    return Sample(sum(chance.random() < 0.5 for _ in range(hour.events)), 0.5)


def _of_trials(sample: Sample, per_hour: float, chance: random.Random) -> Sample:
    trials = poisson_number(chance, per_hour * sample.exposure) + sample.events
    return Sample(sample.events, trials)


def timings(number: int) -> None:
    """Prints how often an error that begins by chance has a suspect, by deployments a day."""
    print("\n| deployments a day | all day | in working hours |\n| --- | --- | --- |")
    for per_day in (0.2, 1, 5, 20):
        shares = [
            _share(
                _is_blamed(per_day, depth, random.Random(f"{per_day}-{depth}-{seed}"))
                for seed in range(number)
            )
            for depth in (0.0, 0.95)
        ]
        print(f"| {per_day} | {' | '.join(shares)} |")


def _is_blamed(per_day: float, depth: float, chance: random.Random) -> bool:
    errors = _times(Stream("errors", poisson, 0.5, depth), chance)
    finishes = _times(Stream("deployments", poisson, per_day / 24, depth), chance)
    at = errors[-1 - chance.randrange(6)]
    return is_suspect(at, finishes, errors)


def _times(stream: Stream, chance: random.Random) -> list[datetime]:
    origin = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        origin + (half_hour + chance.random()) * HOUR / 2
        for half_hour, events in enumerate(stream.counts(chance, 29 * 48))
        for _ in range(events)
    ]


def is_suspect(at: datetime, finishes: Sequence[datetime], errors: Sequence[datetime]) -> bool:
    """Whether the timing of a beginning points to the latest deployment before it."""
    since = at - 28 * DAY
    known = [finish for finish in finishes if since <= finish <= at]
    if not known or at - max(known) > CANDIDATE_WINDOW:
        return False
    days = Counter(
        hour for _, hour in {(each.date(), each.hour) for each in errors if since <= each < at}
    )
    return p_of_timing(Beginning(at, since, known, days, ()), max(known)) <= ALPHA


def real_data(number: int) -> None:
    """Prints the alarms over the real data sets."""
    print("\n| data | windows | alarms |\n| --- | --- | --- |")
    for name, found in alarms(number).items():
        print(f"| {name} | {found.total():,} | {found[True]} |")
    _real_timings(number)


def _real_timings(number: int) -> None:
    """Real deployments against real build failures, which have nothing to do with them."""
    finishes = [
        [each.at for each in of_app if each.what == environment]
        for of_app in by_name(deployments()).values()
        for environment in sorted({each.what for each in of_app})
    ]
    start, end = datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 6, 30, tzinfo=UTC)
    found: Counter[bool] = Counter()
    for recording in recordings()["9 projects: failed builds"]:
        weeks = (start - min(recording.times)) // (7 * DAY) * 7 * DAY
        errors = [at + weeks for at in recording.times if start <= at + weeks < end]
        chance = random.Random(recording.name)
        for _ in range(number if errors else 0):
            found[is_suspect(chance.choice(errors), chance.choice(finishes), errors)] += 1
    print(
        f"| beginnings at build failures, near deployments of 54 apps | {found.total():,} "
        f"| {found[True]} |"
    )


if __name__ == "__main__":
    main()
