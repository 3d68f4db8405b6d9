"""Scopes: the projects a viewer may read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from access.viewers import Viewer

_READABLE_KEY_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Scope:
    """Sorted project ids, or None for all projects, for admins only."""

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
        """Returns the scope of the given projects that are inside this scope."""
        return Scope.of(project_id for project_id in project_ids if project_id in self)

    def key(self) -> str:
        """Returns a text for cache keys and cursors; equal scopes have equal keys."""
        if self.project_ids is None:
            return "all"
        text = ",".join(map(str, self.project_ids))
        if len(text) <= _READABLE_KEY_LENGTH:
            return f"projects:{text}"
        return "projects#" + hashlib.sha256(text.encode()).hexdigest()


class ProjectIds(Protocol):
    """The part of storage.dimensions.Dictionaries that scopes need."""

    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]: ...


async def resolve(viewer: Viewer, dictionaries: ProjectIds) -> Scope:
    """Returns the viewer's scope; slugs of unknown projects add nothing."""
    if viewer.is_admin:
        return Scope.everything()
    ids = await dictionaries.project_ids(sorted(viewer.project_slugs))
    return Scope.of(ids.values())
