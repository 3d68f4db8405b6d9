"""Finds the series of a deployment from the names of its dimensions."""

from collections.abc import Iterable, Mapping

from ingest.fold import State
from storage.connections.database import Connection
from storage.dimensions import NONE, OTHER, Dictionaries, Dictionary
from storage.series import SERIES_AT_MOST, Dims, admit

# The dimensions of a deployment, in the order of these dictionaries.
Names = tuple[str | None, str | None, str | None, str | None]
_KINDS = (
    Dictionary.ENVIRONMENT,
    Dictionary.NETWORK,
    Dictionary.TEMPLATE,
    Dictionary.FRAMEWORK,
)
# Names of these dictionaries are created by the first deployment with them.
_INTERNED = (Dictionary.ENVIRONMENT, Dictionary.FRAMEWORK)
SeriesKey = tuple[int, Names]

_REMEMBERED_AT_MOST = 200_000
_COUNTS = "select project_id, count(*) from series where project_id = any($1) group by 1"

Ids = dict[Dictionary, dict[str, int]]


class Assignment:
    """Finds series ids and caches them; the caller adds new ones after the COMMIT."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._known: dict[SeriesKey, int] = {}

    async def find(
        self, connection: Connection, states: Iterable[State]
    ) -> tuple[dict[SeriesKey, int], dict[SeriesKey, int]]:
        """Returns the series id of each state, and the new ids to `remember` after the COMMIT."""
        wanted = {(state.project_id, state.dimensions) for state in states}
        found = {key: self._known[key] for key in wanted if key in self._known}
        if len(found) == len(wanted):
            return found, {}
        learned: dict[SeriesKey, int] = {}
        by_project: dict[int, set[Names]] = {}
        for project_id, names in wanted - found.keys():
            by_project.setdefault(project_id, set()).add(names)
        # All names come before the first series, so that two batches take locks in the same order.
        ids = await self._ids(connection, by_project)
        for project_id in sorted(by_project):
            dims = {names: _dims_of(names, ids) for names in by_project[project_id]}
            series = await admit(connection, project_id, dims.values())
            for names, ids_of_names in dims.items():
                found[project_id, names] = series[ids_of_names]
                # An unknown network or template may be provisioned at any time.
                if OTHER not in (ids_of_names.network_id, ids_of_names.template_id):
                    learned[project_id, names] = series[ids_of_names]
        return found, learned

    def remember(self, learned: dict[SeriesKey, int]) -> None:
        if len(self._known) + len(learned) > _REMEMBERED_AT_MOST:
            self._known.clear()
        self._known |= learned

    async def _ids(self, connection: Connection, by_project: Mapping[int, set[Names]]) -> Ids:
        """The ids of all known names; new environments and frameworks are created first."""
        all_names = {names for project_names in by_project.values() for names in project_names}
        wanted = {
            kind: {name for name in column if name is not None}
            for kind, column in zip(_KINDS, zip(*all_names, strict=True), strict=True)
        }
        wanted[Dictionary.TEMPLATE] |= {slug.lower() for slug in wanted[Dictionary.TEMPLATE]}
        lookup = self._dictionaries
        ids = {kind: await lookup.ids(kind, names) for kind, names in wanted.items()}
        new = {kind: wanted[kind] - ids[kind].keys() for kind in _INTERNED}
        if any(new.values()):
            room = await _room(connection, by_project)
            for kind, names in new.items():
                admitted = _admitted(names, _KINDS.index(kind), by_project, room)
                ids[kind] |= await lookup.ensure(connection, kind, admitted)
        return ids


async def _room(connection: Connection, projects: Iterable[int]) -> dict[int, int]:
    """The number of new names each project may add: as many as it may have further series."""
    counts = dict(await connection.fetch(_COUNTS, list(projects)))
    return {key: max(SERIES_AT_MOST - counts.get(key, 0), 0) for key in projects}


def _admitted(
    new: set[str], position: int, by_project: Mapping[int, set[Names]], room: Mapping[int, int]
) -> set[str]:
    """The new names at a position of `Names` for which a project has room."""
    admitted: set[str] = set()
    for project_id, wanted in by_project.items():
        added = new & {names[position] for names in wanted}
        admitted.update(sorted(added)[: room[project_id]])
    return admitted


def _dims_of(names: Names, ids: Ids) -> Dims:
    environment, network, template, framework = names
    templates = ids[Dictionary.TEMPLATE]
    if template is not None and template not in templates:
        template = template.lower()
    return Dims(
        environment_id=_id(ids[Dictionary.ENVIRONMENT], environment),
        network_id=_id(ids[Dictionary.NETWORK], network),
        template_id=_id(templates, template),
        framework_id=_id(ids[Dictionary.FRAMEWORK], framework),
    )


def _id(ids: dict[str, int], name: str | None) -> int:
    return NONE if name is None else ids.get(name, OTHER)
