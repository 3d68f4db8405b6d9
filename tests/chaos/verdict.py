"""After the kills: all facts are stored as if nothing had been killed, and counted rightly."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
from strawberry.utils.str_converters import to_camel_case

from schema.names import stats_name
from storage.facts import FACTS
from storage.facts.fact import Append, Fact
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from storage.running import GIVEN_UP_AFTER
from tests.chaos.errors import check_errors
from tests.chaos.history import PROJECTS, History
from tests.chaos.replay import replay, running, stored, tables
from tests.chaos.rounds import ask
from tests.machine import Run

DAYS = 5

_PROJECTS = ", ".join(f'"project-{number}"' for number in range(PROJECTS))


async def check(run: Run, token: str, histories: Sequence[History], storms: Counter[str]) -> None:
    """Raises AssertionError where anything was lost, counted twice or left behind; `storms` are
    the entities and rows that the storm has sent, by fact."""
    events = [event for history in histories for event in history.events]
    address = await replay(run.database_url, events)
    killed, undisturbed = await asyncpg.connect(run.database_url), await asyncpg.connect(address)
    try:
        for fact in FACTS.values():
            sent = sum(history.stored[fact.name] for history in histories)
            await _check_rows(killed, undisturbed, fact, sent)
            await _check_running(killed, undisturbed, fact)
            await _check_rollups(killed, fact)
            assert await _count(killed, fact, "storm-%") == storms[fact.name]
            await _check_answers(run, token, killed, fact)
        await check_errors(killed)
    finally:
        await killed.close()
        await undisturbed.close()


async def _check_rows(
    killed: asyncpg.Connection, undisturbed: asyncpg.Connection, fact: Fact, sent: int
) -> None:
    """Each event is stored once, and the states are those of the same events without kills."""
    for table in tables(fact):
        expected, found = await stored(undisturbed, fact, table), await stored(killed, fact, table)
        if table is fact.events:
            assert expected.total() == sent
        assert found == expected, (table.name, found - expected, expected - found)


async def _check_running(
    killed: asyncpg.Connection, undisturbed: asyncpg.Connection, fact: Fact
) -> None:
    """Only what never got an end still runs."""
    if isinstance(fact, Append) and fact.running is not None:
        since = datetime.now(UTC) - GIVEN_UP_AFTER
        assert await running(killed, fact, since) == await running(undisturbed, fact, since)


async def _check_rollups(killed: asyncpg.Connection, fact: Fact) -> None:
    now = datetime.now(UTC)
    floors = DEFAULT.floors(now)
    for back in range(DAYS + 1):
        day = (now - timedelta(days=back)).date()
        assert await recount_day(killed, fact, day, floors) == []


async def _check_answers(run: Run, token: str, killed: asyncpg.Connection, fact: Fact) -> None:
    figures, leading = stats_name(fact), to_camel_case(fact.leading)
    document = (
        f'{{ {figures}(range: {{last: "P{DAYS}D"}}, filter: {{projects: [{_PROJECTS}]}})'
        f" {{ {leading} byProject(first: 5) {{ {leading} }} }} }}"
    )
    answer = ask(run, token, document)[figures]
    counted = await _count(killed, fact, "project-%")
    assert answer[leading] == sum(each[leading] for each in answer["byProject"]) == counted


async def _count(connection: asyncpg.Connection, fact: Fact, slugs: str) -> int:
    """The number of entities or rows."""
    count: int = await connection.fetchval(
        f"select count(*) from {fact.table.name} join projects using (project_id)"
        " where slug like $1",
        slugs,
    )
    return count
