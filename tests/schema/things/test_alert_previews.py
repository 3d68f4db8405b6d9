"""Alerts say why they fired or did not, and what they would have done."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.presets import OF_NEW_PROJECTS, PRESETS
from alerts.rules import LITERAL, EventKind, OnEvent, Operator, Threshold, Watch
from analytics.run import Analytics
from ingest.intake import Intake
from resolvers.context import Services
from resolvers.identifiers import encode_entity
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT
from tests.alerts.engine import Engine
from tests.schema.platform import ADA, ADMIN, RIVAL, Platform

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FAILING = Watch(
    "deployments.failure_rate_of_finishes",
    600,
    Threshold(Operator.ABOVE, 0.1),
    LITERAL,
    for_seconds=120,
)
EXPLAIN = """
query ($id: ID!, $at: DateTime) {
  alert(id: $id) {
    explain(at: $at) {
      at revision notes
      instances {
        name state sentence labels { name value }
        stored { at transition evidence { window { value } } }
        recomputed { outcome window { value start end components { name value } } bound }
      }
    }
  }
}
"""
PREVIEW = """
query ($trigger: AlertTriggerInput!, $project: String, $range: TimeRange) {
  alertPreview(trigger: $trigger, project: $project, range: $range) {
    range { start end } step pages notes leftOut firingCount firingFor
    firings(first: 5) {
      firedAt endedAt endedBy told labels { name value }
      evidence { outcome window { value } bound }
    }
  }
}
"""
SWITCH_OFF = """
mutation ($id: ID!) {
  setAlertEnabled(input: {id: $id, enabled: false}) { userErrors { message } }
}
"""
DELETE = "mutation ($id: ID!) { deleteAlert(input: {id: $id}) { userErrors { message } } }"


@dataclass
class Story:
    """A platform whose alerts are evaluated, at the evaluator's time."""

    engine: Engine
    platform: Platform

    async def rule(self, project: str | None, watch: Watch | OnEvent, **more: Any) -> str:
        rule_id = await self.engine.rule(project, watch, **more)
        project_id = 0 if project is None else await self.engine.project(project)
        return encode_entity("Alert", project_id, rule_id)

    async def ticks(self, minutes: int) -> None:
        for _ in range(minutes):
            await self.engine.tick(MINUTE)

    async def happens(self, **deployments: Any) -> None:
        """Deployments finish half a minute after the last evaluation; then there is one more."""
        self.engine.now += MINUTE / 2
        await self.engine.deployments("shop", ago=timedelta(seconds=1), **deployments)
        await self.engine.tick(MINUTE / 2)

    async def explained(self, id: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        when = None if at is None else at.isoformat()
        found = await self.platform.ask(EXPLAIN, id=id, at=when, **more)
        explanation: dict[str, Any] = found["alert"]["explain"]
        return explanation

    async def sentence(self, id: str, at: datetime | None = None) -> str:
        (instance,) = (await self.explained(id, at))["instances"]
        return str(instance["sentence"])

    async def preview(self, watch: dict[str, Any], **given: Any) -> dict[str, Any]:
        found = await self.platform.ask(PREVIEW, trigger={"watch": watch}, **given)
        preview: dict[str, Any] = found["alertPreview"]
        return preview


@pytest.fixture
async def story(own_database_url: str) -> AsyncIterator[Story]:
    database = await Database.open(own_database_url)
    dictionaries = Dictionaries(database)
    engine: Engine

    def clock() -> datetime:
        return engine.now

    intake = Intake(database, dictionaries, clock)
    await intake.start()
    now = datetime.now(UTC).replace(second=0, microsecond=0) - 5 * HOUR
    engine = Engine(database, intake, now)
    analytics = Analytics(database, None, DEFAULT, clock)
    services = Services(database, dictionaries, analytics, intake, b"a key", clock)
    yield Story(engine, Platform(services))
    await intake.stop()
    await database.close()


async def test_explanation_follows_an_alert_from_calm_to_firing_and_back(story: Story) -> None:
    engine = story.engine
    early = engine.now
    id = await story.rule("shop", FAILING)
    await story.happens(succeeded=3)
    calm = engine.now
    assert await story.sentence(id) == "It did not fire: 0 % is not above 10 %."
    await story.happens(failed=1)
    wrong = engine.now
    assert await story.sentence(id) == (
        f"It did not fire yet: wrong since {wrong:%Y-%m-%d %H:%M:%S} UTC, it fires once that "
        "lasted 2 minutes; 25 % is above 10 %."
    )
    await story.ticks(2)
    fired = engine.now
    assert await story.sentence(id) == "It fired: 25 % is above 10 %."
    await story.ticks(2)
    since = f"{fired:%Y-%m-%d %H:%M:%S} UTC"
    assert await story.sentence(id) == f"It fires since {since}: 25 % is above 10 %."
    await story.happens(succeeded=20)
    assert await story.sentence(id) == "It stopped firing: 4.167 % is not above 10 %."
    # Asked later, each moment is told as it was.
    await story.ticks(30)
    assert await story.sentence(id, calm) == "It did not fire: 0 % is not above 10 %."
    assert await story.sentence(id, fired) == "It fired: 25 % is above 10 %."
    nothing = "it could be a value of"
    assert nothing in await story.sentence(id)
    before = await story.explained(id, early - HOUR)
    assert (before["revision"], before["notes"]) == (None, ["It did not exist yet."])


async def test_what_was_stored_is_told_apart_from_what_is_found_now(story: Story) -> None:
    engine = story.engine
    id = await story.rule("shop", replace(FAILING, for_seconds=0))
    await engine.deployments("shop", failed=1, succeeded=3)
    await story.ticks(1)
    fired = engine.now
    await story.ticks(3)
    # A deployment that is told about late.
    await engine.deployments("shop", succeeded=4, ago=engine.now - fired + MINUTE)
    (instance,) = (await story.explained(id, fired))["instances"]
    assert instance["state"] == "FIRING"
    assert instance["stored"]["transition"] == "FIRING"
    assert datetime.fromisoformat(instance["stored"]["at"]) == fired
    assert instance["stored"]["evidence"]["window"]["value"] == 0.25
    assert instance["recomputed"]["window"]["value"] == 0.125
    assert instance["recomputed"]["bound"] == 0.1
    assert instance["sentence"] == "It fired: 25 % is above 10 %."


async def test_the_guard_says_why_it_holds_an_alert_back(story: Story) -> None:
    id = await story.rule("shop", replace(FAILING, guard=None, for_seconds=0))
    await story.happens(failed=1)
    assert await story.sentence(id) == (
        "It did not fire: 100 % is above 10 %, but chance alone gives that in 10 % of cases; the "
        "limit is 1 %."
    )
    await story.happens(failed=2)
    assert await story.sentence(id) == (
        "It fired: 100 % is above 10 %, which chance alone gives in 0.1 % of cases; the limit is "
        "1 %."
    )


async def test_an_alert_that_was_off_or_not_evaluated_says_so(story: Story) -> None:
    engine = story.engine
    id = await story.rule("shop", replace(FAILING, for_seconds=0))
    await engine.deployments("shop", failed=1, ago=timedelta(seconds=1))
    engine.now += MINUTE
    assert (await story.sentence(id)).startswith("By what is known now it was wrong: 100 %")
    await story.platform.ask(SWITCH_OFF, ADMIN, id=id)
    assert (await story.explained(id))["notes"] == ["It was off, so nothing was evaluated."]
    await story.platform.ask(DELETE, ADMIN, id=id)
    gone = await story.explained(id)
    assert (gone["revision"], gone["notes"]) == (None, ["It was deleted by then."])


async def test_times_that_cannot_be_explained_are_refused(story: Story) -> None:
    id = await story.rule("shop", FAILING)
    for distance, word in ((HOUR, "future"), (timedelta(days=-100), "Nothing so fine")):
        at = (story.engine.now + distance).isoformat()
        error = await story.platform.refused(EXPLAIN, id=id, at=at)
        assert (error.path, word in error.message) == ("at", True)


async def test_an_alert_of_another_project_is_not_explained(story: Story) -> None:
    id = await story.rule("shop", FAILING)
    of_platform = await story.rule(None, FAILING)
    assert await story.platform.ask(EXPLAIN, RIVAL, id=id) == {"alert": None}
    assert await story.platform.ask(EXPLAIN, ADA, id=of_platform) == {"alert": None}
    found = await story.platform.ask(EXPLAIN, ADMIN, id=of_platform)
    assert len(found["alert"]["explain"]["instances"]) == 1


WATCH = {
    "measure": "DEPLOYMENT_FAILURE_RATE_OF_FINISHES",
    "window": "PT10M",
    "comparison": {"threshold": {"operator": "ABOVE", "bound": 0.1}},
    "guard": {"literal": True},
}


async def test_preview_tells_when_an_alert_would_have_fired(story: Story) -> None:
    engine = story.engine
    start = engine.now
    await engine.project("shop")
    await engine.deployments("shop", failed=1, succeeded=1, ago=timedelta(seconds=30))
    await engine.deployments("rival", failed=5, ago=timedelta(seconds=30))
    engine.now += 2 * HOUR
    found = await story.preview(WATCH, project="shop", range={"last": "PT3H"})
    assert (found["step"], found["notes"], found["leftOut"]) == ("PT1M", [], 0)
    assert (found["pages"], found["firingCount"]) == (1, 1)
    (firing,) = found["firings"]
    assert datetime.fromisoformat(firing["firedAt"]) == start
    assert (firing["endedBy"], firing["told"]) == ("GONE", True)
    assert firing["evidence"]["window"]["value"] == 0.5


async def test_preview_of_a_quarter_says_that_it_looks_once_an_hour(story: Story) -> None:
    await story.engine.project("shop")
    found = await story.preview(WATCH, project="shop", range={"last": "P90D"})
    assert found["step"] == "PT1H"
    assert len(found["notes"]) == 2
    assert (found["pages"], found["firingFor"]) == (0, None)


async def test_preview_refuses_what_it_cannot_play_back(story: Story) -> None:
    platform = story.platform
    await story.engine.project("shop")

    async def refused(trigger: dict[str, Any], **given: Any) -> tuple[str | None, str]:
        error = await platform.refused(PREVIEW, trigger=trigger, **given)
        return error.path, error.message

    path, message = await refused({"watch": WATCH | {"window": "PT90S"}}, project="shop")
    assert (path, "whole minutes" in message) == ("trigger.watch.window", True)
    event = {"event": {"kind": "ERROR_REACHED"}}
    assert (await refused(event, project="shop"))[0] == "trigger.event.count"
    event = {"event": {"kind": "ERROR_NEW"}}
    path, message = await refused(event, project="shop", range={"last": "P100D"})
    assert (path, "at most 92 days" in message) == ("range", True)
    past = {"between": {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}}
    path, message = await refused(event, project="shop", range=past)
    assert (path, "Nothing is stored" in message) == ("range", True)
    assert (await refused({"watch": WATCH}))[0] == "project"
    assert (await refused({"watch": WATCH}, project="rival"))[0] == "project"


def error(project: str, at: datetime, **fields: Any) -> dict[str, Any]:
    event = {"type": "error.occurred", "time": at.isoformat(), "project": project}
    return {**event, "errorType": "TypeError", "message": "it broke", **fields}


async def test_preview_of_events_tells_what_would_have_fired(story: Story) -> None:
    engine, platform = story.engine, story.platform
    start = engine.now.replace(minute=0)
    await engine.deployments("shop", failed=1, ago=timedelta(0), environment="production")
    await engine.deployments("shop", failed=1, succeeded=1, environment="staging")
    for project in ("shop", "rival"):
        for minutes, severity in ((50, "high"), (130, "critical"), (190, "critical")):
            at = start - 4 * HOUR + minutes * MINUTE
            await engine.record([error(project, at, severity=severity)])
    engine.now += 90 * MINUTE

    async def played(kind: str, project: str | None = "shop", **on: Any) -> dict[str, Any]:
        trigger, last = {"event": {"kind": kind, **on}}, {"last": "PT24H"}
        found = await platform.ask(PREVIEW, ADMIN, trigger=trigger, project=project, range=last)
        preview: dict[str, Any] = found["alertPreview"]
        return preview

    found = await played("DEPLOYMENT_FAILED")
    assert (found["step"], found["notes"], found["pages"]) == ("PT1S", [], 2)
    assert [each["endedBy"] for each in found["firings"]] == ["RESOLVED"] * 2
    there = {"environments": ["production"]}
    assert (await played("DEPLOYMENT_FAILED", filter=there))["pages"] == 1
    assert (await played("DEPLOYMENT_FAILED", None))["pages"] == 2
    (firing,) = (await played("ERROR_NEW"))["firings"]
    assert datetime.fromisoformat(firing["firedAt"]) == start - 4 * HOUR + 50 * MINUTE
    found = await played("ERROR_CRITICAL", keepFiring="PT10M")
    assert (found["step"], "by the hour" in found["notes"][0]) == ("PT1H", True)
    hours = [start - 2 * HOUR, start - HOUR]
    assert [datetime.fromisoformat(each["firedAt"]) for each in found["firings"]] == hours[:1]
    found = await played("ERROR_REACHED", count=2)
    assert [datetime.fromisoformat(each["firedAt"]) for each in found["firings"]] == hours[:1]
    assert (await played("ERROR_REACHED", count=4))["pages"] == 0
    assert "last regression" in (await played("ERROR_REGRESSED"))["notes"][0]
    found = await played("ERROR_SPREAD", None, count=2, keepFiring="PT10M")
    assert (found["pages"], len(found["firings"])) == (2, 2)


async def test_preview_of_what_runs_too_long_or_expires(story: Story) -> None:
    engine = story.engine
    start = engine.now
    told = {"project": "shop", "time": start.isoformat()}
    running = [
        {**told, "type": "deployment.started", "deployment": name, "environment": name}
        for name in ("staging", "production")
    ]
    expires = (start + timedelta(days=14) + 10 * MINUTE).isoformat()
    certificate = {"certificate": "c", "domain": "a.example.com", "notAfter": expires}
    await engine.record([*running, {**told, "type": "certificate.issued", **certificate}])
    ended = {"time": (start + 30 * MINUTE).isoformat(), "type": "deployment.succeeded"}
    others = {**running[1], "project": "rival", "time": (start - HOUR).isoformat()}
    await engine.record([{**running[1], **ended}, others])
    engine.now += 2 * HOUR
    slow = {
        "measure": "DEPLOYMENT_LONGEST_RUNNING_MS",
        "window": "PT24H",
        "groupBy": ["ENVIRONMENT"],
        "filter": {"environments": ["production"]},
        "comparison": {"threshold": {"operator": "ABOVE", "bound": 600000}},
    }
    last = {"project": "shop", "range": {"last": "P30D"}}
    (firing,) = (await story.preview(slow, **last))["firings"]
    assert datetime.fromisoformat(firing["firedAt"]) == start + 11 * MINUTE
    assert datetime.fromisoformat(firing["endedAt"]) == start + 31 * MINUTE
    assert firing["labels"] == [{"name": "environment", "value": "production"}]
    expiring = {
        "measure": "CERTIFICATE_DAYS_TO_EXPIRY",
        "window": "PT1H",
        "groupBy": ["DOMAIN"],
        "comparison": {"threshold": {"operator": "BELOW", "bound": 14}},
    }
    found = await story.preview(expiring, **last)
    (firing,) = found["firings"]
    assert (found["step"], firing["endedAt"]) == ("PT1M", None)
    assert datetime.fromisoformat(firing["firedAt"]) == start + 11 * MINUTE


async def test_presets_are_offered_with_what_makes_them_fire(story: Story) -> None:
    found = await story.platform.ask(
        "{ alertPresets { name title description severity ofProject ofNewProjects channelKinds"
        " labels { name value } trigger { __typename } } }"
    )
    shown = {each["name"]: each for each in found["alertPresets"]}
    assert list(shown) == list(PRESETS)
    assert [name for name, each in shown.items() if each["ofNewProjects"]] == [
        each.name for each in PRESETS.values() if each in OF_NEW_PROJECTS
    ]
    assert shown["cpu_critical"]["channelKinds"] == ["pagerduty", "slack"]
    assert shown["error_spread"]["ofProject"] is False


async def test_rules_on_events_are_explained_by_their_history(story: Story) -> None:
    id = await story.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    explanation = await story.explained(id)
    assert (explanation["revision"], explanation["instances"]) == (1, [])
