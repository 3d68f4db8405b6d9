"""The curve in a mail: each of its points is the number that `metrics` gives for that window."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from access.scopes import Scope
from alerts import curves
from alerts.curves import Curves, plan_of
from alerts.delivery.email import chart_of
from alerts.evidence import EVIDENCE
from alerts.messages import Item, message_of
from alerts.rules import (
    DAY_SECONDS,
    HOUR_SECONDS,
    LITERAL,
    MINUTE_SECONDS,
    EventKind,
    OnEvent,
    Operator,
    Threshold,
    Watch,
)
from analytics.answer import Answer
from analytics.measures import MEASURES
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.dimensions import ENVIRONMENT
from storage.keeping.windows import DEFAULT
from tests.alerts.delivery.letters import item
from tests.alerts.engine import Engine
from tests.servers import Databases

MINUTE = timedelta(minutes=1)
ABOVE = Threshold(Operator.ABOVE, 0.1)
RATE = Watch(
    "deployments.failure_rate_of_finishes",
    HOUR_SECONDS,
    ABOVE,
    LITERAL,
    filter={"network": ("metis",)},
    group_by=("environment",),
)


@pytest.fixture(scope="module")
def curves_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def engine(curves_url: str) -> AsyncIterator[Engine]:
    database = await Database.open(curves_url)
    intake = Intake(database, Dictionaries(database), lambda: datetime.now(UTC))
    await intake.start()
    yield Engine(database, intake)
    await intake.stop()
    await database.close()


def curves_of(engine: Engine) -> Curves:
    return Curves(engine.database, DEFAULT, lambda: engine.now)


async def fired(engine: Engine, slug: str, **labels: str) -> dict[str, Any]:
    """A firing of the rule of a project, after three hours in which more and more failed."""
    events = []
    for number in range(60):
        state = "failed" if number % 7 < 4 - number // 15 else "succeeded"
        event = {
            "type": f"deployment.{state}",
            "deployment": str(uuid4()),
            "time": (engine.now - number * 3 * MINUTE - MINUTE).isoformat(),
            "project": slug,
            "network": "metis",
        }
        events.append({**event, **({"environment": "production"} if number % 2 else {})})
    await engine.record(events)
    await engine.tick()
    return await only_event(engine, slug, labels)


async def only_event(engine: Engine, slug: str, labels: dict[str, str]) -> dict[str, Any]:
    project = await engine.project(slug)
    rows = await engine.rows("alert_events")
    (found,) = (
        row
        for row in rows
        if row["project_id"] == project and labels.items() <= row["labels"].items()
    )
    return dict(found)


def told(event: dict[str, Any]) -> Item:
    given = {name: event[name] for name in ("event_id", "rule_id", "instance", "labels", "at")}
    found = EVIDENCE.validate_python(event["evidence"])
    return item(evidence=found, since=event["at"], **given)


@pytest.mark.parametrize("environment", ["production", ""])
async def test_each_point_is_what_metrics_gives_for_that_window(
    engine: Engine, environment: str
) -> None:
    slug = f"shop-{uuid4()}"
    await engine.rule(slug, RATE)
    event = await fired(engine, slug, environment=environment)
    project = await engine.project(slug)
    message = await curves_of(engine).added(message_of([told(event)]))
    points = message.items[0].points
    assert len(points) == curves.POINTS + 2, "both ends, and the evidence itself"
    assert points[-1] == (event["at"], event["evidence"]["window"]["value"])
    assert points[-1][0] - points[0][0] > timedelta(hours=2)
    dictionaries = Dictionaries(engine.database)
    ids = await dictionaries.ids(ENVIRONMENT, ["production"])
    filter = Filter.of({ENVIRONMENT: ids.values() if environment else (0,)})
    wanted = [
        Slice("deployment", Scope.of([project]), filter, Range(at - 60 * MINUTE, at, rolling=True))
        for at, _ in points[:-1]
    ]
    analytics = Analytics(engine.database, None, DEFAULT, lambda: engine.now)
    state = analytics.state()
    answers = await analytics.run_each(wanted, state)
    state.release()
    measure = MEASURES["deployment", "failure_rate_of_finishes"]
    given = [measure.value(each.total) for each in answers if isinstance(each, Answer)]
    assert [value for _, value in points[:-1]] == given
    assert len({value for value in given if value is not None}) > 3, "it is a curve"


async def test_a_curve_is_asked_for_once_however_many_mails_show_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug, asked = f"shop-{uuid4()}", list[Item]()
    await engine.rule(slug, replace(RATE, group_by=()))
    message, drawing = message_of([told(await fired(engine, slug))]), curves_of(engine)
    read = Curves._read

    async def counted(self: Curves, one: Item) -> Any:
        asked.append(one)
        return await read(self, one)

    monkeypatch.setattr(Curves, "_read", counted)
    found = [await drawing.added(message) for _ in range(3)]
    assert len(asked) == 1
    assert found[0] == found[1] == found[2] != message
    picture = chart_of(found[0])
    assert picture is not None
    assert f"fired at {message.items[0].at:%Y-%m-%d %H:%M}" in picture[1]


async def test_a_rule_that_watches_something_else_now_has_no_curve_of_before(
    engine: Engine,
) -> None:
    slug, whole = f"shop-{uuid4()}", replace(RATE, group_by=())
    rule_id = await engine.rule(slug, whole)
    message = message_of([told(await fired(engine, slug))])
    with capture_logs() as logged:
        for trigger in (replace(whole, filter={}), RATE):
            await engine.change(rule_id, trigger)
            assert await curves_of(engine).added(message) == message
    assert logged == []
    await engine.change(rule_id, whole)
    assert await curves_of(engine).added(message) != message


async def test_a_mail_does_not_wait_for_its_curve(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the level of the evidence then."""
    slug = f"shop-{uuid4()}"
    await engine.rule(slug, replace(RATE, group_by=()))
    message, drawing = message_of([told(await fired(engine, slug))]), curves_of(engine)
    monkeypatch.setattr(curves, "SECONDS", 0.1)
    async with drawing._turn:
        assert await drawing.added(message) == message
    monkeypatch.setattr(curves, "SECONDS", 10)
    async with engine.database.transaction() as connection:
        await connection.execute("delete from alert_rules where name = $1", message.items[0].rule)
        broken = replace(message.items[0], rule_id=UUID(int=1))
    assert await drawing.added(message_of([broken])) == message_of([broken])


@pytest.mark.parametrize(
    ("measure", "seconds", "interval"),
    [
        ("deployments.finishes", MINUTE_SECONDS, "minute"),
        ("deployments.finishes", 8 * HOUR_SECONDS, "minute"),
        ("deployments.finishes", 9 * HOUR_SECONDS, "hour"),
        ("builds.duration_p50_ms", DAY_SECONDS, "hour"),
        ("deployments.finishes", 28 * DAY_SECONDS, "day"),
        ("deployments.finishes", 9 * HOUR_SECONDS + 600, None),
        ("deployments.longest_running_ms", DAY_SECONDS, None),
        ("certificates.days_to_expiry", HOUR_SECONDS, None),
    ],
)
def test_windows_are_sums_of_what_is_stored(
    measure: str, seconds: int, interval: str | None
) -> None:
    now = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    plan = plan_of(Watch(measure, seconds, ABOVE), now)
    assert (plan.interval if plan else None) == interval
    if plan is not None:
        question = plan.question(Scope.of([1]), Filter())
        assert now - question.range.end < timedelta(days=1)
        assert len(plan.ends) > curves.POINTS


async def test_what_happened_has_no_curve(engine: Engine) -> None:
    slug = f"shop-{uuid4()}"
    await engine.rule(slug, OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments(slug, failed=1)
    await engine.follow()
    event = await only_event(engine, slug, {})
    message = message_of([told(event)])
    assert await curves_of(engine).added(message) == message
    assert chart_of(message) is None
