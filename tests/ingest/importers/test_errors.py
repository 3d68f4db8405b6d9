"""Errors of data sets: their occurrences are those of the files, counted by other means."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import orjson

from ingest.bulk import Target
from ingest.importers import IMPORTERS, Options
from ingest.importers.errors import GLITCHTIP
from ingest.importers.kafka import KAFKA
from storage.connections.database import Database
from storage.keeping.windows import DEFAULT, Retention
from tests.ingest.conftest import now
from tests.ingest.importers.counting import DATA
from tests.ingest.importers.reading import events_of, have_ids_of_their_own, problems_of

FOREVER = Retention(events_days=0, error_days=0, log_days=0, fine_days=0, day_days=0)


def sent_ids() -> set[UUID]:
    """The ids in the files, found as text."""
    files = (DATA / "error-events/glitchtip/incoming_events").iterdir()
    return {UUID(file.read_text().split('"event_id": "')[1][:32]) for file in files}


def record_levels() -> Counter[str]:
    """The warnings and errors of the logs, by the second word after the bracket of the time."""
    files = (DATA / "runtime-logs/kafka0").iterdir()
    lines = [line for file in files for line in file.read_text().splitlines()]
    words = [line.split("] ", 1)[1].split()[0] for line in lines if line.startswith("[2016-")]
    return Counter(word for word in words if word in ("WARN", "ERROR", "FATAL"))


async def stored(database: Database, statement: str) -> list[tuple[object, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(statement)]


def test_every_event_of_an_sdk_is_read() -> None:
    events = events_of(GLITCHTIP, DATA)
    assert {UUID(event.fields["id"]) for event in events} == sent_ids()
    assert len(events) == 12
    assert problems_of(GLITCHTIP, DATA) == {}
    assert have_ids_of_their_own(events)


def test_warnings_and_errors_of_a_log_are_read_with_their_traces() -> None:
    events = events_of(KAFKA, DATA)
    levels = Counter(event.fields["level"] for event in events)
    counted = record_levels()
    assert levels == {"warning": counted["WARN"], "error": counted["ERROR"]}
    assert sum(counted.values()) == 199
    assert have_ids_of_their_own(events)
    traces = [event.fields["stackTrace"] for event in events if "stackTrace" in event.fields]
    text = "".join(file.read_text() for file in (DATA / "runtime-logs/kafka0").iterdir())
    assert sum(trace.count("\tat ") for trace in traces) == text.count("\n\tat ")
    assert problems_of(KAFKA, DATA) == {}


def test_what_comes_before_the_first_record_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("\tat x\n[2016-12-19 16:31:49,052] ERROR no leader (kafka.X)\n")
    assert problems_of(KAFKA, path) == {"server.log:1": "belongs to no record"}
    (event,) = events_of(KAFKA, path)
    assert (event.fields["message"], event.fields["culprit"]) == ("no leader", "kafka.X")


def test_only_the_events_of_an_envelope_are_read(tmp_path: Path) -> None:
    path = tmp_path / "envelope.json"
    event = {"event_id": 32 * "a", "timestamp": 1595472880.5, "message": "hello"}
    parts = [{"event_id": 32 * "a"}, {"type": "session"}, {}, {"type": "event"}, event]
    path.write_bytes(orjson.dumps(parts))
    (found,) = events_of(GLITCHTIP, path)
    assert found.at.timestamp() == 1595472880.5


async def test_counts_are_those_of_the_files_and_a_second_run_accepts_nothing(
    own_database_url: str, database: Database
) -> None:
    target = Target(own_database_url, now(), FOREVER)
    wanted = {"glitchtip": len(sent_ids()), "kafka": sum(record_levels().values())}
    for name, number in wanted.items():
        first = await IMPORTERS[name].run(DATA, target)
        again = await IMPORTERS[name].run(DATA, target)
        assert (first.accepted, first.problems) == (number, ())
        assert (again.accepted, again.duplicates) == (0, number)
    for table in ("errors", "error_fingerprints", "error_days"):
        counted = await stored(
            database,
            f"select slug, sum(occurrences)::int from {table} join projects using (project_id)"
            " group by 1",
        )
        assert dict(counted) == wanted  # type: ignore[arg-type]


async def test_errors_older_than_they_are_kept_are_left_out(own_database_url: str) -> None:
    target = Target(own_database_url, now(), DEFAULT)
    imported = await IMPORTERS["glitchtip"].run(DATA, target, Options(shift_to_now=True))
    newest = max(event.at for event in events_of(GLITCHTIP, DATA))
    recent = [event for event in events_of(GLITCHTIP, DATA) if (newest - event.at).days < 29]
    assert imported.accepted == len(recent) > 0
    assert imported.too_old == 12 - imported.accepted
