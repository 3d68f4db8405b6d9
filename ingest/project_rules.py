"""The rules of projects for scrubbing, read from the database and remembered for some seconds."""

from collections.abc import Mapping
from functools import partial

from ingest.identity import project_namespace
from ingest.scrubbing import Rules
from storage.admin import scrub_rules
from storage.admin.scrub_rules import ScrubRules
from storage.connections.database import Database
from storage.recent import Fresh

# A change holds in every process within this time.
FRESH_SECONDS = 5.0
_REMEMBERED_AT_MOST = 20_000
_NO_RULES = ScrubRules()


class ProjectRules:
    """Looks up the rules of projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Fresh[int, ScrubRules](_REMEMBERED_AT_MOST)

    async def of(self, projects: Mapping[str, int]) -> dict[str, Rules]:
        """The rules of projects, given by slug with their ids; raises Unavailable."""
        look_up = partial(scrub_rules.find, self._database)
        stored = await self._known.find(projects.values(), FRESH_SECONDS, look_up, _NO_RULES)
        return {
            slug: Rules(
                stored[project_id].names, stored[project_id].patterns, project_namespace(slug)
            )
            for slug, project_id in projects.items()
        }
