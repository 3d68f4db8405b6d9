"""The queries of docs/import.md give the same figures as a count over the sample files."""

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
from storage.dimensions import Dictionaries
from tests.ingest.conftest import now
from tests.ingest.importers.counting import (
    DATA,
    devlake_statuses,
    govuk_rolled_back,
    govuk_updates,
)
from tests.ingest.importers.test_deployments import FOREVER
from tests.schema.platform import ADMIN, Platform

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
QUERIES = {query.split()[1]: query for query in re.findall(r"```graphql\n(.*?)```", PAGE, re.S)}
MONTHS = [f"2025-{month:02}" for month in range(1, 7)]


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
    assert columns["ATTEMPTS"]["values"] == [[attempts[month] for month in MONTHS]]
    assert columns["ACTIVE_PROJECTS"]["values"] == [[active[month] for month in MONTHS]]
    assert columns["ROLLED_BACK"]["totals"] == [govuk_rolled_back()["production"]]


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
