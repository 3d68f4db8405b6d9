"""Log lines of data sets: they are those of the files, counted by other means."""

import re
from collections import Counter

from ingest.bulk import Target
from ingest.importers import IMPORTERS
from ingest.importers.kafka import KAFKA_LOGS
from storage.connections.database import Database
from storage.facts.log_lines import Level
from storage.keeping.windows import Retention
from tests.ingest.conftest import now
from tests.ingest.importers.counting import DATA
from tests.ingest.importers.reading import events_of, have_ids_of_their_own, problems_of

FOREVER = Retention(events_days=0, error_days=0, log_days=0, fine_days=0, day_days=0)


def text() -> str:
    return "".join(file.read_text() for file in (DATA / "runtime-logs/kafka0").iterdir())


def levels() -> Counter[str]:
    """The records by level, found as text."""
    return Counter(re.findall(r"^\[2016-[^]]*\] (\w+)", text(), re.MULTILINE))


def loggers() -> Counter[str]:
    """The records by the last word of their first line, in brackets."""
    lines = [line for line in text().splitlines() if line.startswith("[2016-")]
    return Counter(line.rpartition("(")[2].removesuffix(")") for line in lines)


def test_every_record_is_a_line_with_what_stands_below_it() -> None:
    events = events_of(KAFKA_LOGS, DATA)
    assert Counter(event.fields["level"].upper() for event in events) == levels()
    assert Counter(event.fields["logger"] for event in events) == loggers()
    assert sum(event.fields["message"].count("\n\tat ") for event in events) == text().count(
        "\n\tat "
    )
    assert have_ids_of_their_own(events)
    assert problems_of(KAFKA_LOGS, DATA) == {}


async def test_counts_are_those_of_the_files_and_a_second_run_accepts_nothing(
    own_database_url: str, database: Database
) -> None:
    target = Target(own_database_url, now(), FOREVER)
    wanted = levels()
    first = await IMPORTERS["kafka-logs"].run(DATA, target)
    again = await IMPORTERS["kafka-logs"].run(DATA, target)
    assert (first.accepted, first.problems) == (wanted.total(), ())
    assert (again.accepted, again.duplicates) == (0, wanted.total())
    columns = ", ".join(f"sum({each.name.lower()}_lines)::int as {each.name}" for each in Level)
    async with database.connection() as connection:
        row = await connection.fetchrow(
            f"select {columns} from log_line_project_day where cell = 0"
        )
        texts = await connection.fetchval("select count(message) from log_texts")
    assert {name.upper(): number for name, number in row.items() if number} == wanted
    assert texts == wanted.total()
