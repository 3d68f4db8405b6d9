"""Searches in many projects find what a filter over all lines finds, page after page."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import pytest

from access.viewers import Role, Viewer
from resolvers.lists import MAX_RANGE
from storage.queries import log_lines as queries
from storage.queries import scoping
from tests.schema.conftest import opened
from tests.schema.error_events import record
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

PROJECTS = 70  # more than marks are asked for
PROJECT_NAMES = tuple(f"tenant-{number}" for number in range(PROJECTS))
LIST = """query($filter: LogFilter, $search: String!, $range: TimeRange, $first: Int,
    $after: String, $last: Int, $before: String) {
  logLines(filter: $filter, search: $search, range: $range, first: $first, after: $after,
      last: $last, before: $before) {
    nodes { externalId occurredAt }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


class Line(NamedTuple):
    """A line as it was sent."""

    name: str
    project: str
    at: datetime
    words: frozenset[str]
    logger: str


def made() -> list[Line]:
    """Lines of all projects within 22 days, some of one moment and some ahead of their time.

    Every line of the first project is loud, no other. The second has old lines only. Each line of
    the third is of one minute.
    """
    generator, found = Random(4), []
    for number in range(900):
        project = 0 if number % 3 == 0 else generator.randrange(PROJECTS)
        minutes = int(22 * 24 * 60 * generator.random() ** 6) - 90
        if project == 1:
            minutes = 21 * 24 * 60 + number
        at = NOW - (timedelta(minutes=minutes) if project != 2 else timedelta(seconds=number % 3))
        words = {"every", "loud" if project == 0 else "quiet", "old" if project == 1 else "new"}
        words |= {f"n{generator.randrange(4)}"}
        logger = f"logger-{generator.randrange(3)}"
        name = f"line-{number}"
        found.append(Line(name, PROJECT_NAMES[project], at, frozenset(words), logger))
    return found


LINES = made()


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@asynccontextmanager
async def opened_with_lines(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        await record(platform, [_event(line) for line in LINES])
        yield platform


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened_with_lines(url) as platform:
        yield platform


def _event(line: Line) -> dict[str, Any]:
    return {
        "type": "log.line",
        "id": line.name,
        "time": line.at.isoformat(),
        "project": line.project,
        "message": " ".join(sorted(line.words)),
        "logger": line.logger,
    }


def viewer(*projects: str) -> Viewer:
    return Viewer("eve", frozenset({Role.VIEWER}), frozenset(projects))


VIEWERS = {
    "all": (ADMIN, PROJECT_NAMES),
    "many": (viewer(*PROJECT_NAMES[:66]), PROJECT_NAMES[:66]),
    "some": (viewer(*PROJECT_NAMES[1:9]), PROJECT_NAMES[1:9]),
    "one": (viewer(PROJECT_NAMES[1]), PROJECT_NAMES[1:2]),
}
WEEK = (NOW - timedelta(days=7), NOW - timedelta(minutes=30))
# Texts, loggers and times.
SEARCHES: list[tuple[str, list[str] | None, tuple[datetime, datetime] | None]] = [
    ("every", None, None),
    ("loud", None, None),
    ("quiet n1", None, None),
    ("every", None, WEEK),
    ("old", None, None),
    ("every", ["logger-1"], None),
    ("every n2", ["logger-1", "logger-2"], WEEK),  # of all projects, these have many series
    ("nowhere", None, None),
]


def matching(projects: tuple[str, ...], search: Any) -> list[tuple[datetime, str]]:
    """The times and names of the lines that a search must find, newest first."""
    text, loggers, span = search
    found = [
        (line.at, line.name)
        for line in LINES
        if line.project in projects
        and line.words.issuperset(text.split())
        and (loggers is None or line.logger in loggers)
        and (span is None or span[0] <= line.at < span[1])
    ]
    return sorted(found, key=lambda each: each[0], reverse=True)


async def pages(platform: Platform, asker: Viewer, search: Any, way: str) -> list[dict[str, Any]]:
    """All lines of a search, in pages from the newest or from the oldest."""
    text, loggers, span = search
    variables: dict[str, Any] = {"search": text}
    if loggers is not None:
        variables["filter"] = {"loggers": loggers}
    if span is not None:
        start, end = (at.isoformat() for at in span)
        variables["range"] = {"between": {"start": start, "end": end}}
    size, cursor = ("first", "after") if way == "newest" else ("last", "before")
    found: list[dict[str, Any]] = []
    while True:
        page = (await platform.ask(LIST, asker, **variables, **{size: 67}))["logLines"]
        nodes, info = page["nodes"], page["pageInfo"]
        found = [*found, *nodes] if way == "newest" else [*nodes, *found]
        if not info["hasNextPage" if way == "newest" else "hasPreviousPage"]:
            assert page["totalCount"] == len(found)
            return found
        variables[cursor] = info["endCursor" if way == "newest" else "startCursor"]


ENDS = """query($search: String!, $first: Int, $last: Int) {
  logLines(search: $search, first: $first, last: $last) { nodes { externalId } } }"""


@pytest.mark.parametrize("size", ["first", "last"])
@pytest.mark.parametrize(("text", "found"), [("old", 1), ("nowhere", 0)])
async def test_each_part_of_the_time_is_looked_in_once_until_a_page_is_full(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, size: str, text: str, found: int
) -> None:
    """All matches of a part are sorted, so there is no more than a week in one."""
    parts: list[queries.Span] = []

    async def fetch_within(*query: Any, **values: Any) -> list[Any]:
        parts.append(queries.Span(values["found_start"], values["found_end"]))
        return await scoping.fetch_within(*query, **values)

    monkeypatch.setattr(queries, "fetch_within", fetch_within)
    page = (await platform.ask(ENDS, ADMIN, search=text, **{size: 1}))["logLines"]
    assert len(page["nodes"]) == found
    in_time = sorted(parts)
    assert parts == (in_time if size == "last" else in_time[::-1])
    assert all(earlier.end == later.start for earlier, later in pairwise(in_time))
    assert max(end - start for start, end in parts) == queries.WEEK
    assert len(parts) <= 16
    looked_in = in_time[-1].end - in_time[0].start
    assert looked_in == MAX_RANGE if not found else looked_in < MAX_RANGE


SMALL_PARTS = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 100, 1_000))


@pytest.mark.parametrize("lengths", [SMALL_PARTS, queries.LENGTHS], ids=["small", "as it is"])
@pytest.mark.parametrize("way", ["newest", "oldest"])
@pytest.mark.parametrize("who", VIEWERS)
async def test_pages_have_each_line_that_matches_once(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    lengths: tuple[timedelta, ...],
    way: str,
    who: str,
) -> None:
    monkeypatch.setattr(queries, "LENGTHS", lengths)
    asker, projects = VIEWERS[who]
    for search in SEARCHES:
        expected = matching(projects, search)
        found = await pages(platform, asker, search, way)
        times = [datetime.fromisoformat(each["occurredAt"]) for each in found]
        assert times == [at for at, _ in expected], search
        assert sorted(each["externalId"] for each in found) == sorted(name for _, name in expected)
