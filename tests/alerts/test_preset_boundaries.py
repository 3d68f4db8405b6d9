"""Each preset fires at its boundary and not before, and resolves."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts.conditions import Reading, judge, measure_of
from alerts.guards import Cell
from alerts.presets import PRESETS
from alerts.rules import LITERAL, Threshold, Watch
from alerts.states import Outcome
from alerts.windows import window_of
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from tests.alerts.answers import DAY, NOW, cell
from tests.alerts.engine import Engine
from tests.alerts.preset_story import ALL, CLOSE, END, MINUTE, WELL, Case, play
from tests.servers import Databases

Transitions = list[tuple[int, str]]


@pytest.fixture(scope="module")
def story_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def played(story_url: str) -> AsyncIterator[dict[str, Transitions]]:
    """By preset, the minutes of all transitions."""
    database = await Database.open(story_url)
    intake = Intake(database, Dictionaries(database), lambda: datetime.now(UTC))
    await intake.start()
    now = datetime.now(UTC).replace(second=0, microsecond=0) - (END + 60) * MINUTE
    engine = Engine(database, intake, now)
    start = await play(engine)
    names = {row["rule_id"]: row["name"] for row in await engine.rows("alert_rules")}
    found: dict[str, Transitions] = {case.preset: [] for case in ALL}
    for row in await engine.rows("alert_events"):
        minute = (row["at"] - start) // MINUTE
        found[names[row["rule_id"]]].append((minute, row["transition"]))
    yield {name: sorted(transitions) for name, transitions in found.items()}
    await intake.stop()
    await database.close()


@pytest.mark.parametrize("case", ALL, ids=[case.preset for case in ALL])
def test_preset_fires_beyond_its_boundary_and_resolves(
    case: Case, played: dict[str, Transitions]
) -> None:
    transitions = played[case.preset]
    fired = [minute for minute, transition in transitions if transition == "firing"]
    assert fired == [case.fires], transitions
    minute, last = transitions[-1]
    assert last == "resolved", transitions
    assert (WELL if case.gauge else case.fires) < minute <= (CLOSE if case.gauge else END)


def test_all_presets_on_measures_are_played(played: dict[str, Transitions]) -> None:
    of_measures = {name for name, preset in PRESETS.items() if isinstance(preset.trigger, Watch)}
    # A certificate expires by time alone: tests/alerts/test_ages.py.
    assert played.keys() == of_measures - {"certificate_expiring"}


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
