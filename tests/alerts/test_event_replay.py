"""Rules on events, played back, find what live history has, as far as what is stored says it."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from access.scopes import Scope
from alerts import past
from alerts.event_replay import EventReplay
from alerts.evidence import Subject
from alerts.happenings import Happening
from alerts.past import PastReader, plan_events, replay_events
from alerts.replay import BackTest
from alerts.rules import INSTANCES_AT_MOST, EventKind, OnEvent
from alerts.states import Transition
from analytics.periods import Range
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT
from storage.queries.past_events import Past
from tests.alerts.engine import Engine

MINUTE = timedelta(minutes=1)
LOOKS = 40
ON = (
    OnEvent(EventKind.DEPLOYMENT_FAILED, {"environment": ("production",)}, keep_firing_seconds=300),
    OnEvent(EventKind.BUILD_FAILED, keep_firing_seconds=60),
    OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=240, keep_firing_seconds=120),
    OnEvent(EventKind.FUNCTION_FAILED, keep_firing_seconds=120),
    OnEvent(EventKind.ERROR_NEW, {"error_type": ("A",)}, keep_firing_seconds=600),
)
SLUGS = count()

# By instance, what happened to it and when.
Course = dict[str, list[tuple[str, datetime]]]


class Story:
    """What happens in a project, minute by minute; some of what starts ends later."""

    def __init__(self, seed: int, project: str) -> None:
        self.chance = random.Random(seed)
        self.project = project
        self.running: list[tuple[datetime, str, str]] = []

    def minute(self, start: datetime) -> Iterator[dict[str, Any]]:
        chance = self.chance

        def told(type_: str, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
            at = at or start + chance.random() * MINUTE
            return {"type": type_, "time": at.isoformat(), "project": self.project, **fields}

        for ends, id, where in [each for each in self.running if each[0] < start + MINUTE]:
            self.running.remove((ends, id, where))
            outcome = chance.choice(("failed", "succeeded"))
            yield told(f"deployment.{outcome}", ends, deployment=id, environment=where)
        for _ in range(chance.choice((0, 1))):
            id, where = str(uuid4()), chance.choice(("production", "staging"))
            at = start + chance.random() * MINUTE
            self.running.append((at + chance.uniform(1, 12) * MINUTE, id, where))
            yield told("deployment.started", at, deployment=id, environment=where)
        if chance.random() < 0.3:
            yield told(f"build.{chance.choice(('failed', 'succeeded'))}", build=str(uuid4()))
        if chance.random() < 0.3:
            message = chance.choice("abcdefgh") * 9
            yield told("error.occurred", errorType=chance.choice("AB"), message=message)
        if chance.random() < 0.4:
            status, name = chance.choice(("failed", "succeeded")), chance.choice("fg")
            id = str(uuid4())
            yield told("function.completed", function=name, invocation=id, status=status)


async def played(engine: Engine, project: int, on: OnEvent, span: Range) -> BackTest:
    dictionaries = Dictionaries(engine.database)
    made = plan_events(on, span, DEFAULT.floors(span.end), span.end)
    scope = Scope.of([project])
    stored = Past(engine.database, scope, made.range.start, made.range.end, past.ROWS_AT_MOST)
    return replay_events(made, *await PastReader(stored, dictionaries, made).read())


async def live(engine: Engine, rule_id: UUID) -> Course:
    course: Course = defaultdict(list)
    rows = await engine.rows("alert_events", rule_id)
    for row in sorted(rows, key=lambda row: (row["at"], row["transition"] != "firing")):
        course[row["instance"]].append((row["transition"], row["at"]))
    return course


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_played_equals_live_history(engine: Engine, seed: int) -> None:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = end - LOOKS * MINUTE
    engine.now = start
    slug = f"shop-{next(SLUGS)}"
    project, story = await engine.project(slug), Story(seed, slug)
    rules = [(await engine.rule(slug, on), on) for on in ON]
    await engine.follow(timedelta())
    while engine.now < end:
        await engine.record(list(story.minute(engine.now)))
        await engine.follow(MINUTE)
    number = 0
    for rule_id, on in rules:
        course, found = (
            await live(engine, rule_id),
            await played(engine, project, on, Range(start, end)),
        )
        again: Course = defaultdict(list)
        for at, name, transition in found.transitions:
            again[str(name)].append((transition.value, at))
        assert again.keys() == course.keys(), on
        for name, happened in course.items():
            assert [each for each, _ in again[name]] == [each for each, _ in happened], (on, name)
            for (_, then), (_, now) in zip(again[name], happened, strict=True):
                assert timedelta() <= now - then <= MINUTE, (on, name)
        number += sum(map(len, course.values()))
    assert number > 30


def happening(name: str, at: datetime, until: datetime | None = None, again: str = "") -> Happening:
    subject = Subject("Function", name, name, 1)
    given = (1, subject, at, until or at, ({"project": "shop"},), 1.0, again or at.isoformat())
    return Happening(EventKind.FUNCTION_FAILED, *given)


START = datetime(2026, 3, 1, tzinfo=UTC)
FAILED = OnEvent(EventKind.FUNCTION_FAILED, keep_firing_seconds=60)


def test_what_flaps_is_told_once() -> None:
    replay = EventReplay(FAILED)
    times = [START + number * 5 * MINUTE for number in range(6)]
    replay.play([happening("f", at) for at in times], START + timedelta(hours=3))
    assert [each.is_told for each in replay.firings] == [True] * 4 + [False] * 2
    assert [each for _, _, each in replay.transitions].count(Transition.FLAPPING) == 1


def test_of_an_outage_a_hundred_fire_and_the_rest_is_counted() -> None:
    replay = EventReplay(FAILED)
    replay.play([happening(str(number), START) for number in range(130)], START + MINUTE / 2)
    assert (len(replay.firings), replay.left_out) == (INSTANCES_AT_MOST, 30)
    assert all(firing.ended_at is None for firing in replay.firings)


def test_what_happens_while_it_fires_lengthens_the_episode() -> None:
    replay = EventReplay(FAILED)
    times = [START, START + MINUTE / 2, START + 3 * MINUTE]
    replay.play([happening("f", at) for at in times], START + 4 * MINUTE)
    assert [(each.fired_at, each.ended_at) for each in replay.firings] == [
        (START, START + 1.5 * MINUTE),
        (START + 3 * MINUTE, START + 4 * MINUTE),
    ]


async def test_what_was_read_in_part_is_not_played(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    slug, start = "shop", end - timedelta(hours=12)
    project = await engine.project(slug)

    def event(type_: str, minutes: int, **fields: Any) -> dict[str, Any]:
        time = (start + minutes * MINUTE).isoformat()
        return {"type": type_, "time": time, "project": slug, **fields}

    for minute, name in ((600, "a"), (600, "b"), (600, "c"), (630, "d"), (660, "a")):
        failed = {"status": "failed", "function": name, "invocation": str(uuid4())}
        await engine.record([event("function.completed", minute, **failed)])
    # The first is made before the others, and starts between them.
    for name, queued, began in (("x", 0, 300), ("y", 60, 60), ("z", 120, 480)):
        for type_, at in (("queued", queued), ("started", began), ("failed", began + 20)):
            await engine.record([event(f"deployment.{type_}", at, deployment=name)])
    monkeypatch.setattr(past, "ROWS_AT_MOST", 4)
    found = await played(engine, project, ON[3], Range(start, end))
    assert found.range == Range(start + 601 * MINUTE, end)
    subjects = [each.evidence.subject for each in found.firings]
    assert sorted(each.key for each in subjects if each) == ["a", "d"]
    monkeypatch.setattr(past, "ROWS_AT_MOST", 2)
    found = await played(engine, project, ON[2], Range(start, end))
    assert found.range == Range(start + 304 * MINUTE + timedelta(seconds=1), end)
    assert len(found.firings) == 1
