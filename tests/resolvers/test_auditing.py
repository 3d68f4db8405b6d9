"""Mutations are always audited, at little cost."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import resolvers
from resolvers.context import Context
from resolvers.recording_audit import run_audited
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, Platform
from tests.servers import Databases

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        yield platform


async def outcome_of(platform: Platform, action: str) -> Any:
    async with platform.services.database.connection() as connection:
        return await connection.fetchval("select outcome from audit_log where action = $1", action)


def test_no_resolver_changes_anything_but_with_its_entry() -> None:
    """`context.transaction` commits the entry with the change; the database's own does not."""
    folder = Path(resolvers.__file__).parent
    own = re.compile(r"(?<!context)\.transaction\(")
    found = {path.name for path in folder.glob("*.py") if own.search(path.read_text("utf-8"))}
    assert found == {"context.py"}


async def test_a_mutation_the_deadline_ended_is_told_so(platform: Platform) -> None:
    context = await Context.create(platform.services, ADMIN, "request-1")

    async def linger() -> None:
        async with context.transaction() as connection:
            await connection.execute("select pg_sleep(30)")

    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await run_audited(context, "lingers", None, {}, linger)
    assert await outcome_of(platform, "lingers") == "TIMEOUT"


async def test_a_crash_before_the_commit_is_told_and_nothing_is_changed(
    platform: Platform,
) -> None:
    context = await Context.create(platform.services, ADMIN, "request-1")

    async def crash() -> None:
        async with context.transaction() as connection:
            await connection.execute("insert into projects (slug, name) values ('half', 'half')")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await run_audited(context, "crashes", None, {}, crash)
    assert await outcome_of(platform, "crashes") == "INTERNAL"
    async with platform.services.database.connection() as connection:
        assert not await connection.fetchval("select count(*) from projects where slug = 'half'")


async def test_a_crash_after_the_commit_leaves_it_told_as_made(platform: Platform) -> None:
    context = await Context.create(platform.services, ADMIN, "request-1")

    async def crash() -> None:
        async with context.transaction() as connection:
            await connection.execute("select 1")
        raise RuntimeError("after the commit")

    with pytest.raises(RuntimeError):
        await run_audited(context, "answers-badly", None, {}, crash)
    assert await outcome_of(platform, "answers-badly") == "ok"
