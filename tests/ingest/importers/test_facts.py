"""Sets of builds, invocations and API calls in a real database: the counts of the files."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.bulk import Target
from ingest.importers import IMPORTERS, Imported, Options
from ingest.importers.facts import Events
from storage.connections.database import Database
from storage.dimensions import DIMENSIONS
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.lifecycle import Status
from storage.keeping.windows import DEFAULT, Retention
from tests.ingest.conftest import now
from tests.ingest.importers.counting import (
    DATA,
    apache_lines,
    cold_starts,
    csv_rows,
    expected_jobs,
    har_entries,
    lrts_phases,
    lrts_rows,
    lrts_statuses,
)

FOREVER = Retention(events_days=0, error_days=0, log_days=0, fine_days=0, day_days=0)
SHIFTED = Options(shift_to_now=True)
DAY = timedelta(days=1)
SETS = [name for name, importer in IMPORTERS.items() if isinstance(importer, Events)]


@pytest.fixture
def target(own_database_url: str) -> Target:
    return Target(own_database_url, now(), FOREVER)


async def fetch(database: Database, query: str, *arguments: Any) -> list[Any]:
    async with database.connection() as connection:
        return list(await connection.fetch(query, *arguments))


async def sums(
    database: Database, fact: str, component: str, dimension: str, grain: str = "day"
) -> Counter[tuple[str, str]]:
    """A component by project and name of a dimension, from a roll-up."""
    by = DIMENSIONS[dimension]
    rows = await fetch(
        database,
        f"select slug, {by.plural}.name, sum({component})::bigint"
        f" from {fact}_project_{grain} join {by.plural} using ({by.column})"
        " join projects using (project_id) where cell = $1 group by 1, 2",
        FACTS[fact].cell([by]).number,
    )
    return Counter({(slug, name): count for slug, name, count in rows if count})


def briefly(imported: Imported) -> tuple[int, int, int]:
    return imported.accepted, imported.duplicates, len(imported.problems)


async def test_builds_are_those_of_the_files(target: Target, database: Database) -> None:
    imported = await IMPORTERS["lrts"].run(DATA, target)

    assert briefly(imported) == (2 * 104 + 240, 0, 0)
    rows = await fetch(
        database, "select slug, status, duration_us from builds join projects using (project_id)"
    )
    counted = Counter((row["slug"], Status(row["status"]).name) for row in rows)
    assert counted == lrts_statuses()
    rolled = await fetch(
        database,
        "select slug, sum(attempts), sum(succeeded), sum(failed), sum(cancelled), sum(duration_us)"
        " from build_project_day join projects using (project_id) where cell = 0 group by 1",
    )
    for slug, attempts, succeeded, failed, cancelled, duration_us in rolled:
        mine = {status: n for (project, status), n in counted.items() if project == slug}
        assert attempts == sum(mine.values())
        assert succeeded == mine.get("SUCCEEDED", 0)
        assert (failed, cancelled) == (mine.get("FAILED", 0), mine.get("CANCELLED", 0))
        assert duration_us == sum(row["duration_us"] for row in rows if row["slug"] == slug)


async def test_phases_are_those_of_the_files(target: Target, database: Database) -> None:
    await IMPORTERS["lrts"].run(DATA, target)

    runs: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    for (project, phase, has_failed), count in lrts_phases().items():
        runs[project, phase] += count
        failed[project, phase] += has_failed * count
    for grain in ("day", "hour"):
        assert await sums(database, "build_phase", "runs", "phase", grain) == runs
        assert await sums(database, "build_phase", "failed", "phase", grain) == +failed
    durations: Counter[tuple[str, str]] = Counter()
    for row in lrts_rows():
        duration_us = round(float(row["stage_duration_by_method_sum"]) * 1_000_000)
        durations[row["project"], row["stage_id"]] += duration_us
    found = await sums(database, "build_phase", "duration_us", "phase")
    assert found.keys() == durations.keys()
    assert all(abs(found[key] - durations[key]) <= 500 * runs[key] for key in runs)


async def test_phases_belong_to_builds(target: Target, database: Database) -> None:
    await IMPORTERS["lrts"].run(DATA, target)
    (row,) = await fetch(
        database,
        "select count(*) as phases, count(builds.build_id) as of_builds from build_phases"
        " left join builds using (project_id, build_id)",
    )
    assert tuple(row) == (240, 240)


async def test_jobs_have_the_statuses_of_the_files(target: Target, database: Database) -> None:
    await IMPORTERS["treeherder"].run(DATA, target)
    await IMPORTERS["taskcluster"].run(DATA, target)
    rows = await fetch(database, "select status, started_at, created_at from builds")
    states = {"pending": "QUEUED", "running": "IN_PROGRESS", "completed": "SUCCEEDED"}
    expected = Counter(states[line["job"]["state"]] for line in expected_jobs().values())
    assert Counter(Status(row["status"]).name for row in rows) == expected + Counter(SUCCEEDED=38)


async def test_invocations_are_those_of_the_files(target: Target, database: Database) -> None:
    (totals,) = (await IMPORTERS["lambda-perf"].run(DATA, target)).totals

    expected: Counter[tuple[str, str]] = Counter()
    for (_, function), count in cold_starts().items():
        expected["lambda-perf", function] += count
    for component in ("invocations", "cold_starts"):
        assert await sums(database, "invocation", component, "function") == expected
    assert not await sums(database, "invocation", "errors", "function")
    assert totals.by_dimension["function"] == {name: n for (_, name), n in expected.items()}
    assert totals.by_status == {"success": 658}


async def test_calls_are_those_of_the_files(target: Target, database: Database) -> None:
    for name in ("azure-llm", "har", "apache"):
        await IMPORTERS[name].run(DATA, target)

    lines = apache_lines()
    methods = Counter(("apache-logs", method) for method, _, _ in lines)
    methods["azure-llm", "POST"] = 250
    methods["treeherder", "GET"] = 27
    assert await sums(database, "api_call", "calls", "method") == methods
    for component, class_ in (("client_errors", 4), ("server_errors", 5)):
        found = await sums(database, "api_call", component, "method")
        assert found.total() == sum(status // 100 == class_ for _, status, _ in lines)
    durations = await sums(database, "api_call", "duration_us", "method")
    assert durations == {
        ("treeherder", "GET"): sum(entry["time"] for entry in har_entries()) * 1000
    }
    trace = list(csv_rows("api-calls/AzureLLMInferenceTrace_conv"))
    model, task = ("azure-llm", "azure-llm"), ("azure-llm", "conversation")
    assert await sums(database, "model_call", "calls", "model") == {model: len(trace)}
    assert await sums(database, "model_call", "calls", "task") == {task: len(trace)}
    for component, column in (
        ("input_tokens", "ContextTokens"),
        ("output_tokens", "GeneratedTokens"),
    ):
        tokens = sum(int(row[column]) for row in trace)
        assert await sums(database, "model_call", component, "model") == {model: tokens}
    assert not await sums(database, "model_call", "decided", "model")
    (row,) = await fetch(
        database,
        "select sum(response_bytes) from api_calls join projects using (project_id)"
        " where slug = 'apache-logs'",
    )
    assert row[0] == sum(sent for _, _, sent in lines)


async def test_second_import_of_any_set_changes_nothing(target: Target, database: Database) -> None:
    first = {name: await IMPORTERS[name].run(DATA, target) for name in SETS}
    before = await all_rollups(database)
    for name in SETS:
        second = await IMPORTERS[name].run(DATA, target)
        assert first[name].accepted > 0
        assert briefly(second) == (0, first[name].accepted, 0)
        assert second.totals == first[name].totals
    assert await all_rollups(database) == before


async def all_rollups(database: Database) -> dict[str, Any]:
    return {
        fact.name: await fetch(
            database,
            f"select md5(string_agg(r::text, '' order by r)) from {fact.name}_project_day r",
        )
        for fact in FACTS.values()
    }


async def test_shift_of_calls_stays_the_same_days_later(target: Target, database: Database) -> None:
    first = await IMPORTERS["apache"].run(DATA, target, SHIFTED)
    later = Target(target.database_url, target.now + 3 * DAY, FOREVER)
    second = await IMPORTERS["apache"].run(DATA, later, SHIFTED)

    assert briefly(second) == (0, first.accepted, 0)
    assert second.moved_days == first.moved_days > 0
    with pytest.raises(InvalidInput, match="in the database already"):
        await IMPORTERS["apache"].run(DATA, later)


async def test_events_older_than_their_rows_are_kept_are_left_out(
    own_database_url: str, database: Database
) -> None:
    """90 days after 18 May 2015: the calls of the 17th could not be recognised later."""
    at = datetime.fromisoformat("2015-08-16T12:00:00Z")
    imported = await IMPORTERS["apache"].run(DATA, Target(own_database_url, at, DEFAULT))

    old = (DATA / "http-logs/apache_logs").read_text().count("[17/May/2015")
    assert imported.too_old == old > 0
    assert imported.accepted == 262 - old
