"""The gateway's own log as log lines of a project: what they say, and what becomes of too many."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import structlog

from access.viewers import Role, Viewer
from gateway.observability.health import Health
from gateway.observability.own_lines import MAX_CHARACTERS, MAX_LINES, passing_on
from gateway.observability.recorder import Recorder
from gateway.observability.telemetry import Telemetry
from gateway.processes.worker import own_events
from ingest.events import MAX_ATTRIBUTES_BYTES, EventStatus, Result
from storage.connections.database import Database
from tests.gateway.application import as_role, eventually, running, settings_for, tables_with
from tests.gateway.request_lines import log_output

log = structlog.get_logger(component="here")


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """The log of a process, written to nowhere."""
    with log_output():
        yield


async def passed(log_it: Any) -> list[Mapping[str, Any]]:
    """What is passed on of what a function logs."""
    found: list[Mapping[str, Any]] = []
    with passing_on(found.append):
        log_it()
    log.info("after the end")
    return found


async def test_a_line_says_what_was_logged() -> None:
    (line,) = await passed(
        lambda: log.warning("keys_unreadable", reason=OSError("no route"), tries=3, token="abc")
    )
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    assert {**line, "time": ""} == {
        "time": "",
        "message": "keys_unreadable",
        "level": "warning",
        "logger": "here",
        "fields": {"reason": "no route", "tries": 3, "token": "[hidden]"},
    }


async def test_lines_of_libraries_have_their_logger_and_a_level_that_is_known() -> None:
    def log_it() -> None:
        logging.getLogger("uvicorn.error").critical("out of %s", "files")
        logging.getLogger("uvicorn.error").log(35, "between two levels")

    first, second = await passed(log_it)
    assert (first["message"], first["level"]) == ("out of files", "critical")
    assert first["logger"] == "uvicorn.error"
    assert second["level"] == "info"


async def test_an_exception_is_a_field_that_fits() -> None:
    def log_it() -> None:
        try:
            raise ValueError("x" * 50_000 + " the end")
        except ValueError:
            log.exception("job_failed", number=2**80)

    (line,) = await passed(log_it)
    assert line["level"] == "error"
    assert line["fields"]["number"] == str(2**80)
    assert line["fields"]["exception"].endswith("the end")
    assert 3 * MAX_CHARACTERS < MAX_ATTRIBUTES_BYTES


async def test_lines_of_other_threads_are_passed_on_in_the_loop() -> None:
    found: list[Mapping[str, Any]] = []

    def add(line: Mapping[str, Any]) -> None:
        asyncio.get_running_loop()
        found.append(line)

    with passing_on(add):
        await asyncio.to_thread(log.info, "from elsewhere")
        await asyncio.sleep(0)
    assert [line["message"] for line in found] == ["from elsewhere"]


async def test_too_many_lines_are_counted_and_not_waited_for() -> None:
    lost: list[int] = []
    taken: list[Mapping[str, Any]] = []

    async def record(events: Sequence[dict[str, Any]], _viewer: Viewer) -> list[Result]:
        taken.extend(events)
        return [Result(n, event["id"], EventStatus.ACCEPTED) for n, event in enumerate(events)]

    recorder = Recorder(
        record, lambda: datetime.now(UTC), {"type": "log.line"}, MAX_LINES, lost.append
    )
    with passing_on(recorder.add):
        for number in range(MAX_LINES + 7):
            log.info("again", number=number)
    await recorder.flush()
    assert (sum(lost), len(taken)) == (7, MAX_LINES)


STORED = """
select text.message, text.fields, logger.name as logger, line.level
from log_lines as line
join projects using (project_id)
join log_texts as text using (project_id, occurred_at, event_id)
join log_line_series as series using (project_id, series_id)
join loggers as logger on logger.logger_id = series.logger_id
where slug = 'own' order by line.occurred_at
"""


async def stored(url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(STORED)]
    finally:
        await connection.close()


async def test_the_log_of_the_gateway_is_stored_without_secrets(
    own_database_url: str, redis_url: str
) -> None:
    settings = settings_for(own_database_url, redis_url, log_lines_project="own")
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await client.post("/graphql", json={"query": "{ viewer { subject } }"})
        log.warning("sent", body="password=hunter2-canary", secret="canary")
    found = {row["message"]: row for row in await stored(own_database_url)}
    assert "/graphql" in found["request"]["fields"]
    assert (found["sent"]["logger"], found["sent"]["level"]) == ("here", 4)
    assert await tables_with(own_database_url, "canary") == []


async def test_the_log_of_the_worker_is_stored(own_database_url: str) -> None:
    settings = settings_for(own_database_url, "", errors_project="off", log_lines_project="own")
    database = await Database.open(own_database_url, pool_size=2)
    async with own_events(settings, database, Telemetry(), Health("1.2.3")):
        log.info("started", process=1)

        async def is_stored() -> bool:
            return bool(await stored(own_database_url))

        await eventually(is_stored)
    await database.close()
    (row,) = await stored(own_database_url)
    assert row["message"] == "started"


@pytest.mark.parametrize("environment", ["demo", "production"])
def test_it_is_off_by_default(environment: Any) -> None:
    assert settings_for("", "", environment=environment).log_lines_slug is None
    named = settings_for("", "", environment=environment, log_lines_project="auto")
    assert named.log_lines_slug == ("gateway" if environment == "demo" else None)
