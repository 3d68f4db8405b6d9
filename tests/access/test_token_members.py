"""Members from the claims of tokens: which claims count, and how often they are written."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from access import token_members
from access.token_members import TokenMembers, memberships
from access.viewers import Role, Viewer
from storage import members
from storage.connections.database import Database
from storage.dictionaries import upsert_project
from storage.errors import Unavailable
from storage.members import MemberFields, MemberRole

NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
CANARY = "canary-7f3a@example.com"


def holder(*projects: str, subject: str = "ada") -> Viewer:
    return Viewer(subject, frozenset({Role.VIEWER}), frozenset(projects))


def test_an_address_makes_the_subject_a_member_of_all_projects_of_the_token() -> None:
    claims = {"email": CANARY, "project_roles": {"blog": "owner", "elsewhere": "owner"}}
    assert memberships(holder("shop", "blog"), claims) == [
        ("blog", MemberFields("ada", CANARY, MemberRole.OWNER)),
        ("shop", MemberFields("ada", CANARY, None)),
    ]


@pytest.mark.parametrize(
    "claims",
    [{}, {"email": None}, {"email": 5}, {"email": "nobody"}, {"project_roles": ["owner"]}],
)
def test_other_claims_make_no_member(claims: dict[str, Any]) -> None:
    assert memberships(holder("shop"), claims) == []


@pytest.mark.parametrize("role", ["king", None, 5, {"owner": True}])
def test_an_unknown_role_says_nothing(role: Any) -> None:
    ((_slug, member),) = memberships(
        holder("shop"), {"email": CANARY, "project_roles": {"shop": role}}
    )
    assert member.role is None


@dataclass
class Time:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Store:
    """A recorder on a real database, and a project of its own."""

    database: Database
    slug: str
    id: int
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.recorder = TokenMembers(self.database, lambda: NOW, self.time)

    async def use(self, claims: dict[str, Any], subject: str = "ada", slug: str = "") -> None:
        self.recorder.note(holder(slug or self.slug, subject=subject), claims)
        await self.recorder.flush()

    async def catalogue(self) -> int:
        """The version of what all viewers see."""
        select = "select number from project_versions where project_id = 0 and fact = 'catalogue'"
        async with self.database.connection() as connection:
            return int(await connection.fetchval(select))

    async def stored(self) -> list[tuple[Any, ...]]:
        select = (
            "select subject, email, role, source from project_members where project_id = $1"
            " order by subject"
        )
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(select, self.id)]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database, slug = await Database.open(database_url, pool_size=2), f"p-{uuid4().hex[:8]}"
    async with database.transaction() as connection:
        project_id = await upsert_project(connection, slug)
    yield Store(database, slug, project_id)
    await database.close()


async def test_a_token_makes_and_changes_a_member(store: Store) -> None:
    await store.use({"email": CANARY})
    assert await store.stored() == [("ada", CANARY, "member", "token")]
    await store.use({"email": "new@example.com", "project_roles": {store.slug: "owner"}})
    assert await store.stored() == [("ada", "new@example.com", "owner", "token")]
    # A token that does not say so takes nothing away.
    await store.use({"project_roles": {"elsewhere": "owner"}})
    assert await store.stored() == [("ada", "new@example.com", "owner", "token")]


async def test_two_tokens_of_one_subject_make_two_members(store: Store) -> None:
    async with store.database.transaction() as connection:
        other = f"{store.slug}-2"
        await upsert_project(connection, other)
    store.recorder.note(holder(store.slug), {"email": CANARY})
    store.recorder.note(holder(other), {"email": CANARY})
    await store.recorder.flush()
    assert [row[0] for row in await store.stored()] == ["ada"]


async def test_an_admins_entry_is_not_overwritten(store: Store) -> None:
    async with store.database.transaction() as connection:
        fields = MemberFields("ada", "own@example.com", MemberRole.MEMBER)
        await members.upsert(connection, store.id, fields, "admin", NOW)
    await store.use({"email": CANARY, "project_roles": {store.slug: "owner"}})
    assert await store.stored() == [("ada", "own@example.com", "member", "admin")]


async def test_the_same_claims_are_written_once_an_hour(store: Store) -> None:
    await store.use({"email": CANARY})
    async with store.database.transaction() as connection:
        await members.remove(connection, store.id, "ada")
    store.time.seconds = 3599
    await store.use({"email": CANARY})
    assert await store.stored() == []
    store.time.seconds = 3600
    await store.use({"email": CANARY})
    assert await store.stored() == [("ada", CANARY, "member", "token")]


async def test_projects_that_do_not_exist_get_no_members(store: Store) -> None:
    await store.use({"email": CANARY}, slug="no-such-project")
    await store.use({"email": CANARY}, subject="grace")
    assert [row[0] for row in await store.stored()] == ["grace"]


async def test_tokens_do_not_fill_a_project_without_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS_AT_MOST", 2)
    for number in range(4):
        await store.use({"email": CANARY}, subject=f"s-{number}")
    await store.use({"email": "new@example.com"}, subject="s-0")
    assert [row[:2] for row in await store.stored()] == [
        ("s-0", "new@example.com"),
        ("s-1", CANARY),
    ]


async def test_tokens_read_together_do_not_pass_the_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.use({"email": CANARY}, subject="s-0")
    monkeypatch.setattr(members, "MEMBERS_AT_MOST", 2)
    for number in range(4):
        store.recorder.note(holder(store.slug, subject=f"s-{number}"), {"email": "n@example.com"})
    await store.recorder.flush()
    assert [row[0] for row in await store.stored()] == ["s-0", "s-1"]


async def test_members_added_at_once_do_not_pass_the_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS_AT_MOST", 1)
    async with store.database.transaction() as connection:
        fields = MemberFields("admin's", None, None)
        assert await members.upsert(connection, store.id, fields, "admin", NOW)
        token = asyncio.create_task(store.use({"email": CANARY}))
        await asyncio.sleep(0.2)
    await token
    assert [row[0] for row in await store.stored()] == ["admin's"]


async def test_what_a_token_changes_ends_cached_responses_with_members(store: Store) -> None:
    versions = [await store.catalogue()]
    for email in (CANARY, CANARY, "new@example.com"):
        store.time.seconds += 3600
        await store.use({"email": email})
        versions.append(await store.catalogue())
    first, added, same, changed = versions
    assert first < added == same < changed


async def test_claims_wait_while_the_database_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: Any) -> None:
        raise Unavailable(f"The database is away, says {CANARY}")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(members, "upsert_from_tokens", away)
        await store.use({"email": CANARY})
    await store.recorder.flush()
    assert await store.stored() == [("ada", CANARY, "member", "token")]
    assert [line["event"] for line in logs] == ["members_not_written"]
    assert CANARY not in str(logs)


async def test_a_failure_that_shows_values_is_logged_without_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_arguments: Any) -> None:
        raise ValueError(f"invalid input for query argument $3: {CANARY}")

    monkeypatch.setattr(members, "upsert_from_tokens", refuse)
    with capture_logs() as logs:
        await store.use({"email": CANARY})
    assert [line["event"] for line in logs] == ["members_lost"]
    assert CANARY not in str(logs)


async def test_the_queue_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_members, "MAX_WAITING", 2)
    for number in range(4):
        store.recorder.note(holder(store.slug, subject=f"s-{number}"), {"email": CANARY})
    await store.recorder.flush()
    assert [row[0] for row in await store.stored()] == ["s-0", "s-1"]
    # Who did not fit is noted when the token is read again.
    await store.use({"email": CANARY}, subject="s-2")
    assert [row[0] for row in await store.stored()] == ["s-0", "s-1", "s-2"]
