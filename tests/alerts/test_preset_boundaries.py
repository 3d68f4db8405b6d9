"""Each preset fires at its boundary and not before, is told by its channels then, and resolves."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alerts.conditions import Reading, judge, measure_of
from alerts.curves import Curves
from alerts.guards import Cell
from alerts.numbers import number_text
from alerts.presets import PRESETS
from alerts.rules import LITERAL, Threshold, Watch
from alerts.sending import Sending
from alerts.states import Outcome
from alerts.windows import window_of
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT
from tests.alerts.answers import DAY, NOW, cell
from tests.alerts.delivery.stage import SEALS, Stage
from tests.alerts.engine import Engine
from tests.alerts.preset_receivers import Told, receivers
from tests.alerts.preset_story import (
    ALL,
    CLOSE,
    END,
    KINDS_IN_TURN,
    MINUTE,
    TOLD_BY,
    WELL,
    Case,
    play,
)
from tests.servers import Databases


@dataclass
class Played:
    """What became of a rule: by the minute its transitions, with the evidence, and its messages."""

    transitions: list[tuple[int, str]] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)  # of the firing
    told: list[Told] = field(default_factory=list)


@pytest.fixture(scope="module")
def story_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def played(
    story_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Played]]:
    """What became of each preset, by its name."""
    database = await Database.open(story_url)
    intake = Intake(database, Dictionaries(database), lambda: datetime.now(UTC))
    await intake.start()
    now = datetime.now(UTC).replace(second=0, microsecond=0) - (END + 60) * MINUTE
    engine = Engine(database, intake, now)
    yield await _played(engine, tmp_path_factory.mktemp("mail"))
    await intake.stop()
    await database.close()


async def _played(engine: Engine, folder: Path) -> dict[str, Played]:
    found = {case.preset: Played() for case in ALL}
    stage = Stage(engine.database)
    async with receivers(folder) as servers:
        await servers.make_channels(engine.database)
        curves = Curves(engine.database, DEFAULT, lambda: engine.now)
        sending = Sending(
            engine.database, servers.outside, SEALS, lambda: engine.now, curves=curves
        )

        async def deliver(minute: int) -> None:
            await stage.settle(sending)
            servers.collect(minute, engine.now)

        start = await play(engine, deliver)
    names = {row["rule_id"]: row["name"] for row in await engine.rows("alert_rules")}
    for row in sorted(await engine.rows("alert_events"), key=lambda row: row["at"]):
        of_rule = found[names[row["rule_id"]]]
        of_rule.transitions.append(((row["at"] - start) // MINUTE, row["transition"]))
        if row["transition"] == "firing":
            of_rule.evidence = row["evidence"]
    for each in servers.told:
        found[each.rule].told.append(each)
    return found


@pytest.mark.parametrize("case", ALL, ids=[case.preset for case in ALL])
def test_preset_fires_beyond_its_boundary_and_resolves(
    case: Case, played: dict[str, Played]
) -> None:
    transitions = played[case.preset].transitions
    fired = [minute for minute, transition in transitions if transition == "firing"]
    assert fired == [case.fires], transitions
    minute, last = transitions[-1]
    assert last == "resolved", transitions
    assert (WELL if case.gauge else case.fires) < minute <= (CLOSE if case.gauge else END)


@pytest.mark.parametrize("case", ALL, ids=[case.preset for case in ALL])
def test_preset_is_told_at_its_boundary_and_when_it_is_over(
    case: Case, played: dict[str, Played]
) -> None:
    """Nothing arrives before; what arrives has the number of the evidence."""
    found = played[case.preset]
    assert {each.kind for each in found.told} == set(TOLD_BY[case.preset])
    over_at, _ = found.transitions[-1]
    for kind in TOLD_BY[case.preset]:
        first, *repeated, last = (each for each in found.told if each.kind == kind)
        assert (first.minute, first.state) == (case.fires, "firing")
        assert (last.minute, last.state) == (over_at, "resolved")
        assert {each.state for each in repeated} <= {"firing"}
        if (window := found.evidence["window"]) is None:
            assert found.evidence["subject"]["title"] in first.text
        else:
            assert number_text(window["value"], found.evidence["measure"]) in first.text
            assert first.value in (None, window["value"])
            assert kind != "email" or " UTC, lowest " in first.text, "what the picture shows"
            assert kind not in ("webhook", "pagerduty") or first.value is not None


def test_all_presets_are_played_and_all_kinds_told(played: dict[str, Played]) -> None:
    assert played.keys() == PRESETS.keys()
    assert {each.kind for found in played.values() for each in found.told} == set(KINDS_IN_TURN)


RATES = {
    "deployment_failure_rate": ("finishes", "finishes_failed"),
    "function_error_rate": ("invocations", "errors"),
    "api_errors": ("calls", "server_errors"),
    "api_errors_critical": ("calls", "server_errors"),
}


@pytest.mark.parametrize("preset", RATES)
def test_literal_rate_is_wrong_one_in_a_thousand_beyond_its_bound(preset: str) -> None:
    watch = PRESETS[preset].trigger
    assert isinstance(watch, Watch)
    assert isinstance(watch.comparison, Threshold)
    whole, part = RATES[preset]
    at_bound = round(watch.comparison.bound * 1_000)

    def outcome(bad: int) -> Outcome:
        found = cell(measure_of(watch).fact, {whole: 1_000, part: bad})
        span = window_of(watch, NOW)
        reading = Reading(span, Cell(found, found, span.length / DAY))
        return judge(replace(watch, guard=LITERAL), reading, None, NOW).outcome

    assert outcome(at_bound) is Outcome.CLEAR
    assert outcome(at_bound + 1) is Outcome.BREACH
