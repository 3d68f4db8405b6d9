"""The stored history is what follows from the events, whatever the clock does and who restarts."""

import random
from datetime import datetime, timedelta

import pytest

from alerts.conditions import timing_of
from alerts.rules import LITERAL, Operator, Threshold, Watch
from alerts.states import Outcome, State, advance, told
from alerts.windows import window_of
from tests.alerts.engine import Engine

RULE = Watch(
    "deployments.failure_rate",
    300,
    Threshold(Operator.ABOVE, 0.3),
    LITERAL,
    for_seconds=20,
    keep_firing_seconds=40,
)
# Ticks on time, late ones, a gap, and a clock that goes back.
STEPS = [10, 10, 10, 10, 30, 120, 400, -60]

Happened = list[tuple[datetime, bool]]  # when a deployment finished, and whether it failed


def expected(happened: Happened, now: datetime) -> Outcome:
    """What a window holds, counted by hand."""
    span = window_of(RULE, now)
    within = [failed for at, failed in happened if span.start <= at < span.end]
    if not within:
        return Outcome.NO_DATA
    return Outcome.BREACH if sum(within) / len(within) > 0.3 else Outcome.CLEAR


@pytest.mark.parametrize("seed", range(6))
async def test_history_is_the_fold_of_what_happened(engine: Engine, seed: int) -> None:
    draw = random.Random(seed)
    rule = await engine.rule("shop", RULE)
    engine.now -= timedelta(hours=2)
    happened: Happened = []
    state, before, history = State.initial(engine.now), None, []
    for _ in range(40):
        for _ in range(draw.choice((0, 0, 1, 3))):
            failed = draw.random() < draw.choice((0.1, 0.9))
            ago = timedelta(seconds=draw.choice((0, 5, 61, 200)))
            await engine.deployments("shop", failed=failed, succeeded=not failed, ago=ago)
            happened.append((engine.now - ago, failed))
        if draw.random() < 0.2:
            engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
        await engine.tick(timedelta(seconds=draw.choice(STEPS)))
        now = engine.now
        if before is None or now > before:
            after, transition = advance(
                state, expected(happened, now), now, timing_of(RULE), before
            )
            history += [(now, each) for each in told(state, after, transition)]
            state, before = after, now
    rows = await engine.rows("alert_events", rule)
    stored = sorted((row["at"], row["transition"]) for row in rows)
    assert stored == sorted((at, str(each)) for at, each in history)
    rows = await engine.rows("alert_instances", rule)
    assert [(row["phase"], row["since"]) for row in rows] == [(state.phase, state.since)]
