"""Which series a deployment is counted under: names to ids, admitted once, then remembered."""

from collections.abc import Iterable, Mapping

from ingest.fold import State
from storage.connections.database import Connection
from storage.dimensions import NONE, OTHER, Dictionaries, Dictionary
from storage.series import SERIES_AT_MOST, Dims, admit

Names = tuple[str | None, str | None, str | None, str | None]
SeriesKey = tuple[int, Names]

_REMEMBERED_AT_MOST = 200_000
_COUNTS = "select project_id, count(*) from series where project_id = any($1) group by 1"

Ids = dict[Dictionary, dict[str, int]]


class Assignment:
    """A process's memory of series; what a transaction learns is kept once it has committed."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._known: dict[SeriesKey, int] = {}

    async def find(
        self, connection: Connection, states: Iterable[State]
    ) -> tuple[dict[SeriesKey, int], dict[SeriesKey, int]]:
        """The series of each state's names, and which of them may be remembered after COMMIT."""
        wanted = {(state.project_id, state.dimensions) for state in states}
        found = {place: self._known[place] for place in wanted if place in self._known}
        if len(found) == len(wanted):
            return found, {}
        learned: dict[SeriesKey, int] = {}
        by_project: dict[int, set[Names]] = {}
        for project_id, names in wanted - found.keys():
            by_project.setdefault(project_id, set()).add(names)
        # All names before the first series: two batches then take their locks in the same order.
        ids = await self._ids(connection, by_project)
        for project_id in sorted(by_project):
            dims = {names: _dims_of(names, ids) for names in by_project[project_id]}
            series = await admit(connection, project_id, dims.values())
            for names, each in dims.items():
                found[project_id, names] = series[each]
                # A network or template that is unknown today may be provisioned at any moment.
                if OTHER not in (each.network_id, each.template_id):
                    learned[project_id, names] = series[each]
        return found, learned

    def remember(self, learned: dict[SeriesKey, int]) -> None:
        if len(self._known) + len(learned) > _REMEMBERED_AT_MOST:
            self._known.clear()
        self._known |= learned

    async def _ids(self, connection: Connection, by_project: Mapping[int, set[Names]]) -> Ids:
        """The ids of all names that have one, after making those of new environments and such."""
        everything = {names for each in by_project.values() for names in each}
        environments, networks, templates, frameworks = (
            {name for name in column if name is not None}
            for column in zip(*everything, strict=True)
        )
        lookup = self._dictionaries
        ids = {
            Dictionary.ENVIRONMENT: await lookup.ids(Dictionary.ENVIRONMENT, environments),
            Dictionary.NETWORK: await lookup.ids(Dictionary.NETWORK, networks),
            Dictionary.TEMPLATE: await lookup.ids(
                Dictionary.TEMPLATE, templates | {slug.lower() for slug in templates}
            ),
            Dictionary.FRAMEWORK: await lookup.ids(Dictionary.FRAMEWORK, frameworks),
        }
        new_environments = environments - ids[Dictionary.ENVIRONMENT].keys()
        new_frameworks = frameworks - ids[Dictionary.FRAMEWORK].keys()
        if new_environments or new_frameworks:
            room = await _room(connection, by_project)
            ids[Dictionary.ENVIRONMENT] |= await lookup.ensure_environments(
                connection, _admitted(new_environments, 0, by_project, room)
            )
            ids[Dictionary.FRAMEWORK] |= await lookup.ensure_frameworks(
                connection, _admitted(new_frameworks, 3, by_project, room)
            )
        return ids


async def _room(connection: Connection, projects: Iterable[int]) -> dict[int, int]:
    """How many new names each project may bring: no more than it may have series."""
    counts = dict(await connection.fetch(_COUNTS, list(projects)))
    return {key: max(SERIES_AT_MOST - counts.get(key, 0), 0) for key in projects}


def _admitted(
    new: set[str],
    position: int,
    by_project: Mapping[int, set[Names]],
    room: Mapping[int, int],
) -> set[str]:
    """Those of the new names, found at a position, for which some project has room."""
    admitted: set[str] = set()
    for project_id, wanted in by_project.items():
        brought = {
            name for names in wanted if (name := names[position]) is not None and name in new
        }
        admitted.update(sorted(brought)[: room[project_id]])
    return admitted


def _dims_of(names: Names, ids: Ids) -> Dims:
    environment, network, template, framework = names
    templates = ids[Dictionary.TEMPLATE]
    template_id = _id(templates, template)
    if template is not None and template_id == OTHER:
        template_id = templates.get(template.lower(), OTHER)
    return Dims(
        environment_id=_id(ids[Dictionary.ENVIRONMENT], environment),
        network_id=_id(ids[Dictionary.NETWORK], network),
        template_id=template_id,
        framework_id=_id(ids[Dictionary.FRAMEWORK], framework),
    )


def _id(ids: dict[str, int], name: str | None) -> int:
    return NONE if name is None else ids.get(name, OTHER)
