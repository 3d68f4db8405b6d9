"""Finds the series of rows from the names of their dimensions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from storage.connections.database import Connection, Database
from storage.dictionaries import Dictionaries
from storage.dimensions import NONE, OTHER, Dimension
from storage.facts.fact import Fact
from storage.series import Combination, admit

# Names in the order of the fact's dimensions.
Names = tuple[str | None, ...]

_REMEMBERED_AT_MOST = 200_000

# The ids of a dimension's names.
Ids = dict[str, int]


# A project and a combination of names.
SeriesKey = tuple[int, Names]
SeriesIds = dict[SeriesKey, int]


class Assignment:
    """Finds series ids and caches them; the caller adds new ones after the COMMIT."""

    def __init__(self, database: Database, dictionaries: Dictionaries) -> None:
        self._database = database
        self._dictionaries = dictionaries
        self._known: dict[Fact, SeriesIds] = defaultdict(dict)

    async def create_names(self, fact: Fact, wanted: set[SeriesKey]) -> None:
        """Creates new names of interned dimensions, as many as the projects may have.

        Call it before the transaction: two of them could hold names that the other needs. A name
        that stays unused does no harm.
        """
        by_project = _by_project(wanted - self._known[fact].keys())
        every = {names for project_names in by_project.values() for names in project_names}
        for place, dimension in enumerate(fact.dimensions):
            if not dimension.interned:
                continue
            given = {name for names in every if (name := names[place]) is not None}
            new = given - (await self._dictionaries.ids(dimension, given)).keys()
            if new:
                async with self._database.connection() as connection:
                    room = await _room(connection, fact, dimension, by_project)
                    admitted = _admitted(new, place, by_project, room)
                    await self._dictionaries.ensure(connection, dimension, admitted)

    async def find(
        self, connection: Connection, fact: Fact, wanted: set[SeriesKey]
    ) -> tuple[SeriesIds, SeriesIds]:
        """Returns the series id of each key, and the new ids to `remember` after the COMMIT."""
        known = self._known[fact]
        found = {key: known[key] for key in wanted if key in known}
        if len(found) == len(wanted):
            return found, {}
        learned: SeriesIds = {}
        new = _by_project(wanted - found.keys())
        ids = await self._ids(fact, {names for _, names in wanted - found.keys()})
        for project_id in sorted(new):  # so that two batches take locks in the same order
            combinations = {names: _combination(names, ids) for names in new[project_id]}
            series = await admit(connection, fact, project_id, combinations.values())
            for names, combination in combinations.items():
                key = project_id, names
                found[key] = series[combination]
                if not _may_change(fact, combination):
                    learned[key] = found[key]
        return found, learned

    def remember(self, learned: Mapping[Fact, SeriesIds]) -> None:
        for fact, series in learned.items():
            known = self._known[fact]
            if len(known) + len(series) > _REMEMBERED_AT_MOST:
                known.clear()
            known |= series

    async def _ids(self, fact: Fact, every: Collection[Names]) -> list[Ids]:
        """The ids of all known names, by dimension."""
        ids = []
        for place, dimension in enumerate(fact.dimensions):
            wanted = {name for names in every if (name := names[place]) is not None}
            ids.append(await ids_of(self._dictionaries, dimension, wanted))
        return ids


async def ids_of(dictionaries: Dictionaries, dimension: Dimension, names: set[str]) -> Ids:
    """The ids of the names that are known, in the case in which they were sent or in lower case."""
    if not dimension.any_case:
        return await dictionaries.ids(dimension, names)
    lower = {name: name.lower() for name in names}
    known = await dictionaries.ids(dimension, names.union(lower.values()))
    return {name: known[as_lower] for name, as_lower in lower.items() if as_lower in known} | known


def _by_project(keys: Iterable[SeriesKey]) -> dict[int, set[Names]]:
    by_project: dict[int, set[Names]] = defaultdict(set)
    for project_id, names in keys:
        by_project[project_id].add(names)
    return by_project


async def _room(
    connection: Connection, fact: Fact, dimension: Dimension, projects: Iterable[int]
) -> dict[int, int]:
    """The number of new names each project may add to a dimension that all projects share.

    These are as many as it may have further series, and no more than its part of the dictionary.
    """
    counted = (
        f"select project_id, count(*), count(distinct {dimension.column}) from {fact.series.name}"
        " where project_id = any($1) group by 1"
    )
    counts = {row[0]: row[1:] for row in await connection.fetch(counted, list(projects))}
    room = {}
    for project_id in projects:
        series, names = counts.get(project_id, (0, 0))
        room[project_id] = max(
            min(fact.series_at_most - series, dimension.of_project_at_most - names), 0
        )
    return room


def _admitted(
    new: set[str],
    place: int,
    by_project: Mapping[int, Collection[Names]],
    room: Mapping[int, int],
) -> set[str]:
    """The new names at a place of `Names` for which a project has room."""
    admitted: set[str] = set()
    for project_id, wanted in by_project.items():
        added = new & {names[place] for names in wanted}
        admitted.update(sorted(added)[: room[project_id]])
    return admitted


def _combination(names: Names, ids: Sequence[Ids]) -> Combination:
    return tuple(
        NONE if name is None else known.get(name, OTHER)
        for name, known in zip(names, ids, strict=True)
    )


def _may_change(fact: Fact, combination: Combination) -> bool:
    """Whether it has an unknown name that may be provisioned at any time."""
    ids = zip(fact.dimensions, combination, strict=True)
    return any(key == OTHER and not dimension.interned for dimension, key in ids)
