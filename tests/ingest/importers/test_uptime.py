"""The samples of the uptime checks, and their figures in a real database."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from ingest.bulk import Target
from ingest.importers.uptime import UPTIME
from storage.connections.database import Database
from storage.facts.samples import ABOVE_ZERO, PER_MICROSECOND
from storage.keeping.windows import Retention
from tests.ingest.conftest import now
from tests.ingest.importers.counting import DATA, csv_rows, utc
from tests.ingest.importers.reading import events_of, have_ids_of_their_own, problems_of

FOREVER = Retention(events_days=0, error_days=0, fine_days=0, day_days=0)
CHECKS = list(csv_rows("uptime/checks"))
Values = dict[tuple[str, str], list[tuple[datetime, Fraction]]]


def counted() -> Values:
    """The times and values by metric and site, straight from the file."""
    values: Values = defaultdict(list)
    for check in CHECKS:
        at, site = utc(check["checked_at"]), check["site"]
        values["site_up", site].append((at, Fraction(check["status"] == "up")))
        if check["http_code"] != "0":
            values["site_http_status", site].append((at, Fraction(check["http_code"])))
            values["site_response_ms", site].append((at, Fraction(check["response_ms"])))
    return values


def test_each_check_is_a_sample_of_what_it_found() -> None:
    events = events_of(UPTIME, DATA)
    assert have_ids_of_their_own(events)
    assert len(CHECKS) == 314
    assert len(events) == 3 * 314 - 2 * 27  # 27 checks had no answer
    up = [event.fields["value"] for event in events if event.fields["metric"] == "site_up"]
    assert (up.count(1), up.count(0)) == (267, 47)


def test_a_row_that_is_no_check_is_told(tmp_path: Path) -> None:
    path = tmp_path / "checks.csv"
    header = "commit,checked_at,site,status,http_code,response_ms"
    path.write_text(f"{header}\na,2026-08-11T11:06:25+00:00,Blog,asleep,200,51\n")
    (message,) = problems_of(UPTIME, path).values()
    assert "neither up nor down" in message


STORED = f"""
select metrics.name, label_sets.name, sum(count), sum(value), max(highest), -max(lowest),
  mod(max(latest), {PER_MICROSECOND}) - {ABOVE_ZERO}
from sample_project_day join metrics using (metric_id) join label_sets using (label_set_id)
join projects using (project_id)
where slug = 'uptime' and cell = 2 group by 1, 2
"""


async def test_figures_are_those_of_the_file(own_database_url: str, database: Database) -> None:
    target = Target(own_database_url, now(), FOREVER)
    imported = await UPTIME.run(DATA, target)
    assert (imported.accepted, imported.problems) == (888, ())
    async with database.connection() as connection:
        rows = await connection.fetch(STORED)
    unit = 10**9
    stored: dict[Any, Any] = {tuple(row[:2]): tuple(map(Fraction, row[2:])) for row in rows}
    assert stored == {
        (metric, f"site={site}"): (
            len(found),
            sum(value for _, value in found) * unit,
            max(value for _, value in found) * unit,
            min(value for _, value in found) * unit,
            max(found)[1] * unit,
        )
        for (metric, site), found in counted().items()
    }
    again = await UPTIME.run(DATA, target)
    assert (again.accepted, again.duplicates) == (0, 888)
