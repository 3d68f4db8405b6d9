"""The rules of projects for scrubbing, read from the database and remembered for some seconds."""

from collections.abc import Iterable, Mapping
from time import monotonic

from ingest.identity import project_namespace
from ingest.scrubbing import Rules
from storage.admin import scrub_rules
from storage.admin.scrub_rules import ScrubRules
from storage.connections.database import Database
from storage.recent import Recent

# A change holds in every process within this time.
FRESH_SECONDS = 5.0
_REMEMBERED_AT_MOST = 20_000
_NO_RULES = ScrubRules()


class ProjectRules:
    """Looks up the rules of projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Recent[int, tuple[float, ScrubRules]](_REMEMBERED_AT_MOST)

    async def of(self, projects: Mapping[str, int]) -> dict[str, Rules]:
        """The rules of projects, given by slug with their ids; raises Unavailable."""
        stored = await self._stored(projects.values())
        return {
            slug: Rules(
                stored[project_id].names, stored[project_id].patterns, project_namespace(slug)
            )
            for slug, project_id in projects.items()
        }

    async def _stored(self, project_ids: Iterable[int]) -> dict[int, ScrubRules]:
        now = monotonic()
        found: dict[int, ScrubRules] = {}
        missing: set[int] = set()
        for project_id in project_ids:
            known = self._known.get(project_id)
            if known is not None and now - known[0] < FRESH_SECONDS:
                found[project_id] = known[1]
            else:
                missing.add(project_id)
        if missing:
            read = await scrub_rules.find(self._database, missing)
            for project_id in missing:
                found[project_id] = rules = read.get(project_id, _NO_RULES)
                self._known[project_id] = now, rules
        return found
