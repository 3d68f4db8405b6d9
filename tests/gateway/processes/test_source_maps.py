"""The worker applies source maps to the bodies of errors, whichever of both comes first."""

import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from access.viewers import Role, Viewer
from gateway.processes import source_maps as job
from gateway.processes.source_maps import LEASE, SourceMaps
from ingest.events import EventStatus
from ingest.intake import Intake
from storage.admin import source_maps
from storage.admin.source_maps import Place, Upload, compressed
from storage.connections.database import Database
from storage.dictionaries import Dictionaries, upsert_project
from storage.error_groups import mapping
from storage.keeping.leases import lease
from tests.scripts import MAP, SCRIPT, SOURCES, TRACE, URL, body, frames
from tests.servers import Databases

SENDER = Viewer("sender", frozenset({Role.ADMIN}), frozenset())
RELEASE = "shop@1.2.3"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Shop:
    """A project of its own, with an intake and a worker's job."""

    database: Database
    intake: Intake
    job: SourceMaps
    slug: str
    id: int

    async def fails(self, count: int = 1, **fields: Any) -> None:
        """So many errors are sent."""
        events = [
            {
                "type": "error.occurred",
                "id": str(uuid4()),
                "time": now().isoformat(),
                "project": self.slug,
                "payload": body(release=RELEASE) | fields,
            }
            for _ in range(count)
        ]
        for result in await self.intake.record(events, SENDER):
            assert result.status is EventStatus.ACCEPTED, result

    async def upload(
        self, content: bytes = MAP, *, is_map: bool = True, url: str = URL, release: str = RELEASE
    ) -> bool:
        place = Place(self.id, release, url)
        upload = Upload(place, is_map, compressed(content), len(content), "ci")
        async with self.database.transaction() as connection:
            done = await source_maps.store(connection, upload, now())
            await source_maps.make_room(connection, place)
            return done

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(statement, self.id, *values))

    async def functions(self) -> list[list[str]]:
        """The names of functions of each stored body, the innermost first."""
        select = "select body from error_bodies where project_id = $1 order by occurred_at"
        found = []
        for row in await self.fetch(select):
            (exception,) = row["body"]["exception"]["values"]
            found.append([each["function"] for each in exception["stacktrace"]["frames"][::-1]])
        return found


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    database, slug = await Database.open(url, pool_size=3), f"shop-{uuid4().hex[:8]}"
    async with database.transaction() as connection:
        project_id = await upsert_project(connection, slug)
    intake = Intake(database, Dictionaries(database), now)
    await intake.start()
    yield Shop(database, intake, SourceMaps(database, slug), slug, project_id)
    await intake.stop()
    async with database.connection() as connection:
        await connection.execute("update leases set expires_at = renewed_at where name = $1", LEASE)
        await connection.execute("delete from source_maps")
    await database.close()


SENT = [function for function, _line, _column in TRACE]
MAPPED = [function for function, *_place in SOURCES]


async def test_a_minified_trace_becomes_that_of_the_sources(shop: Shop) -> None:
    await shop.upload()
    await shop.upload(SCRIPT, is_map=False)
    await shop.fails()
    fingerprints = "select fingerprint_id, grouping from error_fingerprints where project_id = $1"
    before = await shop.fetch(fingerprints)
    assert await shop.job.step() == {"bodies": 1}
    (row,) = await shop.fetch("select body from error_bodies where project_id = $1")
    (exception,) = row["body"]["exception"]["values"]
    mapped = exception["stacktrace"]["frames"][::-1]
    places = [(f["function"], f["filename"], f["lineno"], f["colno"]) for f in mapped]
    assert places == [*SOURCES]
    assert mapped[0]["context_line"] == '    throw new PriceError("the order has no lines");'
    assert mapped[0]["pre_context"][-1] == "  if (lines.length === 0) {"
    raw = exception["raw_stacktrace"]["frames"]
    assert [each["colno"] for each in raw] == [each["colno"] for each in frames()]
    assert await shop.fetch(fingerprints) == before
    assert await shop.job.step() == {}


async def test_a_map_that_comes_after_the_errors_is_applied(shop: Shop) -> None:
    await shop.fails(3)
    assert await shop.job.step() == {}
    assert await shop.functions() == [SENT] * 3
    await shop.upload(SCRIPT, is_map=False)
    await shop.upload()
    assert await shop.job.step() == {"bodies": 3}
    assert await shop.functions() == [MAPPED] * 3


async def test_without_the_script_functions_are_called_as_their_callers_do(shop: Shop) -> None:
    await shop.upload()
    await shop.fails()
    await shop.job.step()
    (functions,) = await shop.functions()
    assert functions[:2] == ["totalOf", "applyDiscount"]


async def test_what_is_still_unknown_waits_for_the_next_map(shop: Shop) -> None:
    other = {"function": "x", "abs_path": "/static/vendor.js", "lineno": 1, "colno": 71}
    values = [{"type": "Error", "value": "no", "stacktrace": {"frames": [other, *frames()]}}]
    await shop.upload(SCRIPT, is_map=False)
    await shop.upload()
    await shop.fails(exception={"values": values})
    assert await shop.job.step() == {"bodies": 1}
    assert await shop.job.step() == {}
    assert await shop.functions() == [[*MAPPED, "x"]]
    await shop.upload(SCRIPT, is_map=False, url="~/static/vendor.js")
    await shop.upload(url="~/static/vendor.js")
    assert await shop.job.step() == {"bodies": 1}
    assert await shop.functions() == [[*MAPPED, "totalOf"]]


async def test_maps_of_other_releases_and_projects_change_nothing(shop: Shop) -> None:
    await shop.fails()
    await shop.upload(release="shop@9.9.9")
    async with shop.database.transaction() as connection:
        shop.id, own = await upsert_project(connection, f"{shop.slug}-2"), shop.id
    await shop.upload()
    shop.id = own
    assert await shop.job.step() == {}
    assert await shop.functions() == [SENT]


async def test_other_platforms_do_not_wait(shop: Shop) -> None:
    await shop.fails(platform="python")
    await shop.fails(release=None)
    waiting = "select event_id from error_bodies where project_id = $1 and maps_after is not null"
    assert not await shop.fetch(waiting)


async def test_bodies_are_mapped_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BODIES_AT_ONCE", 2)
    await shop.upload()
    await shop.fails(5)
    with monkeypatch.context() as patched:
        patched.setattr(job, "STEP_SECONDS", 0.0)
        assert await shop.job.step() == {}
    assert await shop.job.step() == {"bodies": 5}


async def test_mapped_bodies_are_found_by_the_names_of_their_sources(shop: Shop) -> None:
    await shop.fails()
    search = """select event_id from error_bodies where project_id = $1
        and search @@ plainto_tsquery('simple', $2)"""
    await shop.upload(SCRIPT, is_map=False)
    await shop.upload()
    assert not await shop.fetch(search, "applyDiscount")
    await shop.job.step()
    assert len(await shop.fetch(search, "applyDiscount")) == 1


async def test_a_map_that_cannot_be_applied_says_so_and_is_not_tried_again(shop: Shop) -> None:
    await shop.upload(b'{"version":3,"sources":["a.ts"],"names":[],"mappings":"!!!"}')
    await shop.fails()
    with capture_logs() as logs:
        assert await shop.job.step() == {"bodies": 1}
        assert await shop.job.step() == {}
    assert [line["event"] for line in logs] == ["source_map_wrong"]
    assert await shop.functions() == [SENT]
    (row,) = await shop.fetch("select problem from source_maps where project_id = $1")
    assert row["problem"].startswith("The map cannot be applied:")
    await shop.upload()
    await shop.job.step()
    assert (await shop.functions())[0][0] == "totalOf"


async def test_a_body_that_changes_meanwhile_is_left_alone(shop: Shop) -> None:
    await shop.upload()
    await shop.fails()
    async with shop.database.transaction() as connection:
        (waiting,) = await mapping.find_waiting(connection, 5)
        await connection.execute("update error_bodies set body = body || '{\"erased\": true}'")
        waiting.body["stale"] = True
        mapped = mapping.MappedBody(waiting, "", None)
        await mapping.store(connection, [mapped])
    (row,) = await shop.fetch("select body from error_bodies where project_id = $1")
    assert row["body"]["erased"]
    assert "stale" not in row["body"]


async def test_one_worker_at_a_time(shop: Shop) -> None:
    await shop.upload()
    await shop.fails()
    async with shop.database.transaction() as connection:
        assert await lease(connection, LEASE, "another", 60)
    assert await shop.job.step() == {}
    assert await shop.functions() == [SENT]


async def test_without_symbolic_the_job_says_so_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "find_spec", lambda _name: None)
    await shop.upload()
    await shop.fails()
    with capture_logs() as logs:
        assert [await shop.job.step(), await shop.job.step()] == [{}, {}]
    assert [line["event"] for line in logs] == ["symbolic_missing"]


def test_neither_the_gateway_nor_an_idle_worker_imports_symbolic() -> None:
    assert importlib.util.find_spec("symbolic"), "the extra `sourcemaps` is part of `dev`"
    program = """
import sys
import gateway.app, gateway.processes.server, gateway.processes.worker, gateway.cli.main
print("symbolic" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


async def test_the_oldest_releases_make_room(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_maps, "RELEASES_AT_MOST", 2)
    for number in range(4):
        assert await shop.upload(release=f"r{number}")
    assert await shop.upload(release="r2", url="~/other.js")
    assert await shop.upload(release="r4")
    async with shop.database.connection() as connection:
        found = await source_maps.find(connection, shop.id, None)
    assert [each.release for each in found] == ["r4", "r2", "r2"]


async def test_a_release_has_a_most_of_bytes_and_files(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_maps, "RELEASE_BYTES", 2 * len(MAP))
    monkeypatch.setattr(source_maps, "FILES_AT_MOST", 2)
    assert await shop.upload()
    assert await shop.upload(url="~/second.js")
    assert await shop.upload(), "the same file again takes no more room"
    assert not await shop.upload(SCRIPT, is_map=False)
    assert not await shop.upload(url="~/third.js")
    monkeypatch.setattr(source_maps, "RELEASE_BYTES", 10 * len(MAP))
    assert await shop.upload(SCRIPT, is_map=False)
    assert not await shop.upload(url="~/third.js")


async def test_times_of_uploads_rise_where_clocks_differ(shop: Shop) -> None:
    await shop.upload()
    place = Place(shop.id, RELEASE, "~/late.js")
    upload = Upload(place, True, compressed(MAP), len(MAP), "ci")
    async with shop.database.transaction() as connection:
        await source_maps.store(connection, upload, now() - timedelta(hours=1))
    times = "select url, uploaded_at from source_maps where project_id = $1 order by uploaded_at"
    assert [row["url"] for row in await shop.fetch(times)] == [URL, "~/late.js"]
