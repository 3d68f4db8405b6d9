"""Which projects a viewer's statements may touch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from access.viewers import Viewer

_READABLE_KEY_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Scope:
    """Sorted project ids, or None for everything, which only admins get."""

    project_ids: tuple[int, ...] | None

    @classmethod
    def of(cls, project_ids: Iterable[int]) -> Scope:
        return cls(tuple(sorted(set(project_ids))))

    @classmethod
    def everything(cls) -> Scope:
        return cls(None)

    def __contains__(self, project_id: int) -> bool:
        return self.project_ids is None or project_id in self.project_ids

    def narrow(self, project_ids: Iterable[int]) -> Scope:
        """The part of these projects that lies inside the scope; it never grows."""
        return Scope.of(project_id for project_id in project_ids if project_id in self)

    def key(self) -> str:
        """A canonical text for cache keys and cursors; equal scopes have equal keys."""
        if self.project_ids is None:
            return "all"
        text = ",".join(map(str, self.project_ids))
        if len(text) <= _READABLE_KEY_LENGTH:
            return f"projects:{text}"
        return "projects#" + hashlib.sha256(text.encode()).hexdigest()


class ProjectIds(Protocol):
    """What is needed of storage.dimensions.Dictionaries here."""

    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]: ...


async def resolve(viewer: Viewer, dictionaries: ProjectIds) -> Scope:
    """The viewer's scope; a slug of a project that does not exist adds nothing."""
    if viewer.is_admin:
        return Scope.everything()
    ids = await dictionaries.project_ids(sorted(viewer.project_slugs))
    return Scope.of(ids.values())
