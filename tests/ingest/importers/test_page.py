"""The queries of docs/import.md give the same figures as a count over the sample files."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from analytics.run import Analytics
from ingest.bulk import Target
from ingest.importers import IMPORTERS
from ingest.intake import Intake
from resolvers.context import Services
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from tests.ingest.conftest import now
from tests.ingest.importers.counting import (
    DATA,
    apache_lines,
    devlake_statuses,
    functions,
    govuk_rolled_back,
    govuk_updates,
    lrts_builds,
    lrts_phases,
    lrts_rows,
    lrts_statuses,
)
from tests.ingest.importers.test_deployments import FOREVER
from tests.schema.platform import ADMIN, Platform

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
QUERIES = {query.split()[1]: query for query in re.findall(r"```graphql\n(.*?)```", PAGE, re.S)}
MONTHS = [f"2025-{month:02}" for month in range(1, 7)]


# Percentiles read from a histogram are less than its bucket's width off.
BUCKET = 2 ** (1 / 8) - 1


def nearest_rank(values: list[float], fraction: float) -> float:
    return sorted(values)[math.ceil(fraction * len(values)) - 1]


async def answer_of(database: Database, url: str, name: str, set_name: str) -> dict[str, Any]:
    """The answer to one of the page's queries over one imported set."""
    await IMPORTERS[set_name].run(DATA, Target(url, now(), FOREVER))
    analytics = Analytics(database, None, FOREVER, now)
    dictionaries = Dictionaries(database)
    intake = Intake(database, dictionaries, now)
    services = Services(database, dictionaries, analytics, intake, b"key", now)
    return await Platform(services).ask(QUERIES[name], ADMIN)


async def test_production_by_month(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "ProductionByMonth", "govuk")
    production = [row for row in govuk_updates() if row["environment"] == "production"]
    attempts = Counter(row["committed_at"][:7] for row in production)
    active = Counter(month for month, _ in {(r["committed_at"][:7], r["app"]) for r in production})
    columns = {column["measure"]: column for column in answer["metrics"]["columns"]}
    assert columns["DEPLOYMENT_ATTEMPTS"]["values"] == [[attempts[month] for month in MONTHS]]
    assert columns["DEPLOYMENT_ACTIVE_PROJECTS"]["values"] == [[active[month] for month in MONTHS]]
    assert columns["DEPLOYMENT_ROLLED_BACK"]["totals"] == [govuk_rolled_back()["production"]]


async def test_most_deployed(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "MostDeployed", "govuk")
    stats = answer["deploymentStats"]
    by_app = Counter(row["app"] for row in govuk_updates())
    assert {group["name"]: group["attempts"] for group in stats["byProject"]} == by_app
    assert [group["name"] for group in stats["byProject"]] == [
        name for name, _ in by_app.most_common()
    ]
    assert stats["attempts"] == by_app.total()
    assert stats["rolledBack"] == govuk_rolled_back().total()


async def test_open_bic(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "OpenBic", "devlake")
    stats, direct = answer["project"]["deploymentStats"], devlake_statuses()
    assert stats["succeeded"] == direct["github-pages", "SUCCEEDED"]
    assert stats["failed"] == direct["github-pages", "FAILED"]
    assert stats["averageDurationMs"] == pytest.approx((1_864_000 + 51_000) / 8)
    assert stats["durationP50Ms"] == pytest.approx(17_000, rel=0.1)


async def test_apache(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "Apache", "lrts")
    stats, direct = answer["buildStats"], lrts_statuses()
    for group in [*stats["byProject"], stats]:
        for status in ("succeeded", "failed", "cancelled"):
            assert group[status] == sum(
                count
                for (project, name), count in direct.items()
                if name == status.upper() and group.get("name", project) == project
            )
    durations_ms = [float(row["build_duration"]) * 1000 for row in lrts_builds().values()]
    assert stats["attempts"] == len(durations_ms)
    assert stats["durationP50Ms"] == pytest.approx(nearest_rank(durations_ms, 0.5), rel=BUCKET)
    assert stats["durationP95Ms"] == pytest.approx(nearest_rank(durations_ms, 0.95), rel=BUCKET)
    phases = answer["buildPhaseStats"]["byPhase"]
    assert {group["name"] for group in phases} == {"Ubuntu_Test", "Windows_Test"}
    for group in phases:
        failed = lrts_phases()["log4j", group["name"], True]
        durations_ms = [
            float(row["stage_duration_by_method_sum"]) * 1000
            for row in lrts_rows()
            if (row["project"], row["stage_id"]) == ("log4j", group["name"])
        ]
        assert (group["runs"], group["failed"]) == (len(durations_ms), failed)
        assert group["failureRate"] == failed / len(durations_ms)
        median_ms = nearest_rank(durations_ms, 0.5)
        assert group["durationP50Ms"] == pytest.approx(median_ms, rel=BUCKET)


async def test_cold_starts(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "ColdStarts", "lambda-perf")
    stats = answer["functionStats"]
    by_runtime: dict[str, list[float]] = {}
    for function in functions():
        durations_ms = [function["ad"]] * len(function["i"])
        by_runtime.setdefault(function["d"], []).extend(durations_ms)
    every = [duration_ms for each in by_runtime.values() for duration_ms in each]
    assert (stats["invocations"], stats["coldStarts"], stats["errors"]) == (658, len(every), 0)
    assert stats["averageDurationMs"] == pytest.approx(sum(every) / len(every))
    assert stats["durationP95Ms"] == pytest.approx(nearest_rank(every, 0.95), rel=BUCKET)
    groups = {group["name"]: group for group in stats["byRuntime"]}
    assert groups.keys() == by_runtime.keys()
    for name, durations_ms in by_runtime.items():
        assert groups[name]["invocations"] == len(durations_ms)
        median_ms = nearest_rank(durations_ms, 0.5)
        assert groups[name]["durationP50Ms"] == pytest.approx(median_ms, rel=BUCKET)


async def test_requests(database: Database, own_database_url: str) -> None:
    answer = await answer_of(database, own_database_url, "Requests", "apache")
    stats, lines = answer["apiStats"], apache_lines()
    classes = Counter(status // 100 for _, status, _ in lines)
    assert (stats["calls"], stats["clientErrors"]) == (len(lines), classes[4])
    assert stats["serverErrors"] == classes[5]
    methods = Counter(method for method, _, _ in lines)
    assert {group["name"]: group["calls"] for group in stats["byMethod"]} == methods
    log = (DATA / "http-logs/apache_logs").read_text()
    days = [log.count(f"[{day}/May/2015") for day in (17, 18, 19, 20)]
    assert [point["calls"] for point in stats["series"]] == days
    paths = Counter(line.split('"')[1].split()[1].split("?")[0] for line in log.splitlines())
    styles = sum(n for path, n in paths.items() if re.fullmatch(r"/[^/]+\.css", path))
    endpoints = {group["name"]: group["calls"] for group in stats["byEndpoint"]}
    assert endpoints["/{path}.css"] == styles > 0
    assert sum(endpoints.values()) == len(lines)  # the rest has no name
