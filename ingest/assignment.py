"""Which series a deployment is counted under: names to ids, admitted once, then remembered."""

from collections.abc import Iterable, Sequence

from ingest.fold import State
from storage.database import Connection
from storage.dimensions import NONE, OTHER, Dictionaries, Dimension
from storage.series import SERIES_AT_MOST, Dims, admit

Names = tuple[str | None, str | None, str | None, str | None]
Place = tuple[int, Names]

_REMEMBERED_AT_MOST = 200_000
_COUNT = "select count(*) from series where project_id = $1"


class Assignment:
    """A process's memory of series; what a transaction learns is kept once it has committed."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._known: dict[Place, int] = {}

    async def find(
        self, connection: Connection, states: Iterable[State]
    ) -> tuple[dict[Place, int], dict[Place, int]]:
        """The series of each state's names, and which of them may be remembered after COMMIT."""
        wanted = {(state.project_id, state.dimensions) for state in states}
        found = {place: self._known[place] for place in wanted if place in self._known}
        if len(found) == len(wanted):
            return found, {}
        learned: dict[Place, int] = {}
        by_project: dict[int, set[Names]] = {}
        for project_id, names in wanted - found.keys():
            by_project.setdefault(project_id, set()).add(names)
        for project_id in sorted(by_project):
            await self._admit(connection, project_id, by_project[project_id], found, learned)
        return found, learned

    def remember(self, learned: dict[Place, int]) -> None:
        if len(self._known) + len(learned) > _REMEMBERED_AT_MOST:
            self._known.clear()
        self._known |= learned

    async def _admit(
        self,
        connection: Connection,
        project_id: int,
        wanted: set[Names],
        found: dict[Place, int],
        learned: dict[Place, int],
    ) -> None:
        dims = await self._dims(connection, project_id, sorted(wanted, key=repr))
        series = await admit(connection, project_id, dims.values())
        for names, ids in dims.items():
            found[project_id, names] = series[ids]
            # A network or template that is unknown today may be provisioned at any moment.
            if OTHER not in (ids.network_id, ids.template_id):
                learned[project_id, names] = series[ids]

    async def _dims(
        self, connection: Connection, project_id: int, wanted: Sequence[Names]
    ) -> dict[Names, Dims]:
        environments, networks, templates, frameworks = (
            {name for name in column if name is not None} for column in zip(*wanted, strict=True)
        )
        lookup = self._dictionaries
        slugs = templates | {slug.lower() for slug in templates}
        ids = {
            Dimension.NETWORK: await lookup.ids(Dimension.NETWORK, networks),
            Dimension.TEMPLATE: await lookup.ids(Dimension.TEMPLATE, slugs),
            Dimension.ENVIRONMENT: await lookup.ids(Dimension.ENVIRONMENT, environments),
            Dimension.FRAMEWORK: await lookup.ids(Dimension.FRAMEWORK, frameworks),
        }
        new_environments = environments - ids[Dimension.ENVIRONMENT].keys()
        new_frameworks = frameworks - ids[Dimension.FRAMEWORK].keys()
        if new_environments or new_frameworks:
            # A project may bring no more names than it may have series.
            room = SERIES_AT_MOST - await connection.fetchval(_COUNT, project_id)
            ids[Dimension.ENVIRONMENT] |= await lookup.ensure_environments(
                connection, sorted(new_environments)[: max(room, 0)]
            )
            ids[Dimension.FRAMEWORK] |= await lookup.ensure_frameworks(
                connection, sorted(new_frameworks)[: max(room, 0)]
            )
        return {names: _dims_of(names, ids) for names in wanted}


def _dims_of(names: Names, ids: dict[Dimension, dict[str, int]]) -> Dims:
    environment, network, template, framework = names
    templates = ids[Dimension.TEMPLATE]
    template_id = _id(templates, template)
    if template is not None and template_id == OTHER:
        template_id = templates.get(template.lower(), OTHER)
    return Dims(
        environment_id=_id(ids[Dimension.ENVIRONMENT], environment),
        network_id=_id(ids[Dimension.NETWORK], network),
        template_id=template_id,
        framework_id=_id(ids[Dimension.FRAMEWORK], framework),
    )


def _id(ids: dict[str, int], name: str | None) -> int:
    return NONE if name is None else ids.get(name, OTHER)
