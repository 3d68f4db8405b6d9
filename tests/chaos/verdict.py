"""After the kills: every event stored once, states as they must be, roll-ups equal a recount."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from storage.facts import FACTS
from storage.facts.deployments import Status
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.chaos.history import PROJECTS, History
from tests.chaos.rounds import ask
from tests.machine import Run

DAYS = 5

_PROJECTS = ", ".join(f'"project-{number}"' for number in range(PROJECTS))
_TOTALS = f"""{{
  deploymentStats(range: {{last: "P5D"}}, filter: {{projects: [{_PROJECTS}]}}) {{
    byNetwork {{ name attempts succeeded failed cancelled rolledBack inProgress }}
  }}
}}"""
_STORMS = (
    "select count(*) from deployments join projects using (project_id) where slug like 'storm-%'"
)
# Of the senders; those of the storm are judged by its own ledger.
_OURS = "join projects using (project_id) where slug like 'project-%'"


async def check(run: Run, token: str, histories: Sequence[History], storm_sent: int) -> None:
    """Raise AssertionError where anything was lost, counted twice or left behind."""
    connection = await asyncpg.connect(run.database_url)
    try:
        await _check_events(connection, histories)
        await _check_states(connection, histories)
        await _check_rollups(connection)
        assert await connection.fetchval(_STORMS) == storm_sent
    finally:
        await connection.close()
    _check_answers(ask(run, token, _TOTALS), histories)


async def _check_events(connection: asyncpg.Connection, histories: Sequence[History]) -> None:
    stored = await connection.fetchrow(
        "select count(*) as rows, count(distinct (project_id, event_id)) as events"
        f" from deployment_events {_OURS}"
    )
    sent = sum(history.event_count() for history in histories)
    assert (stored["rows"], stored["events"]) == (sent, sent)


async def _check_states(connection: asyncpg.Connection, histories: Sequence[History]) -> None:
    rows = await connection.fetch(
        f"select network, status, count(*) from deployments {_OURS} group by 1, 2"
    )
    stored = {(row["network"], Status(row["status"]).name): row["count"] for row in rows}
    assert stored == _statuses(histories)


async def _check_rollups(connection: asyncpg.Connection) -> None:
    now = datetime.now(UTC)
    floors = DEFAULT.floors(now)
    for back in range(DAYS + 1):
        day = (now - timedelta(days=back)).date()
        assert await recount_day(connection, FACTS["deployment"], day, floors) == []


def _check_answers(data: dict[str, object], histories: Sequence[History]) -> None:
    statuses = _statuses(histories)
    answered = {
        (group["name"], name): group[field]
        for group in data["deploymentStats"]["byNetwork"]  # type: ignore[index]
        for name, field in (
            ("SUCCEEDED", "succeeded"),
            ("FAILED", "failed"),
            ("CANCELLED", "cancelled"),
            ("ROLLED_BACK", "rolledBack"),
            ("IN_PROGRESS", "inProgress"),
        )
        if group[field]
    }
    assert answered == statuses


def _statuses(histories: Sequence[History]) -> Counter[tuple[str, str]]:
    return sum((history.statuses() for history in histories), Counter())
