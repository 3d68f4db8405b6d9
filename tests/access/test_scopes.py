"""Scopes: made from the viewer, and only ever narrowed."""

from collections.abc import Iterable

import pytest

from access.scopes import Scope, resolve
from access.viewers import Permission, Role, Viewer
from storage.errors import Forbidden


class Projects:
    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]:
        return {slug: number for slug, number in {"b": 3, "a": 2}.items() if slug in slugs}


def viewer(role: Role, *slugs: str) -> Viewer:
    return Viewer("ada", frozenset({role}), frozenset(slugs))


async def test_scope_holds_the_viewers_existing_projects() -> None:
    scope = await resolve(viewer(Role.VIEWER, "b", "a", "gone"), Projects())
    assert scope.project_ids == (2, 3)


async def test_viewer_without_projects_sees_nothing() -> None:
    scope = await resolve(viewer(Role.VIEWER), Projects())
    assert scope.project_ids == ()
    assert 2 not in scope


async def test_admin_sees_everything() -> None:
    assert await resolve(viewer(Role.ADMIN), Projects()) == Scope.everything()


def test_narrowing_never_adds_a_project() -> None:
    assert Scope.of([2, 3]).narrow([4, 3]) == Scope.of([3])
    assert Scope.everything().narrow([4]) == Scope.of([4])


def test_equal_scopes_have_equal_keys_and_others_differ() -> None:
    assert Scope.of([3, 2, 2]).key() == Scope.of([2, 3]).key()
    wide, wider = Scope.of(range(1000)), Scope.of(range(1001))
    keys = {Scope.everything().key(), Scope.of([]).key(), Scope.of([2]).key()}
    assert len(keys | {wide.key(), wider.key()}) == 5


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        (Role.VIEWER, {Permission.READ}),
        (Role.MAINTAINER, {Permission.READ, Permission.MANAGE}),
        (Role.INGEST, {Permission.RECORD}),
        (Role.ADMIN, set(Permission)),
    ],
)
def test_each_role_has_its_permissions(role: Role, permissions: set[Permission]) -> None:
    holder = viewer(role)
    assert {permission for permission in Permission if holder.may(permission)} == permissions
    for permission in set(Permission) - permissions:
        with pytest.raises(Forbidden):
            holder.require(permission)
