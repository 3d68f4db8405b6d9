"""Documents by hash: automatic persisted queries and trusted documents."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from typer.testing import CliRunner

from access.viewers import Role
from gateway.cli.main import app as command
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from gateway.graphql.documents import persisted
from gateway.http.negotiation import GRAPHQL
from tests.gateway.application import as_role, running, settings_for
from tests.servers import Databases, temporary_folder


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def own_query() -> str:
    """A document that is not stored yet."""
    return f"query Own{uuid4().hex} {{ measures {{ measure }} }}"


def by_hash(digest: str, query: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    return body if query is None else body | {"query": query}


async def send(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json=body, headers=headers)


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


def measures(response: httpx.Response) -> int:
    return len(response.json()["data"]["measures"])


@pytest.fixture
async def client(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as opened:
        yield opened


async def test_hash_is_unknown_until_its_text_is_sent(client: httpx.AsyncClient) -> None:
    query = own_query()
    unknown = await send(client, by_hash(digest_of(query)))
    assert unknown.status_code == 200
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert code(unknown) == "PERSISTED_QUERY_NOT_FOUND"
    assert measures(await send(client, by_hash(digest_of(query), query))) > 0
    assert measures(await send(client, by_hash(digest_of(query)))) > 0
    assert measures(await send(client, {"documentId": f"sha256:{digest_of(query)}"})) > 0


async def test_hash_works_by_get(client: httpx.AsyncClient) -> None:
    query = own_query()
    await send(client, by_hash(digest_of(query), query))
    extensions = json.dumps(by_hash(digest_of(query))["extensions"])
    answer = await client.get("/graphql", params={"extensions": extensions})
    assert measures(answer) > 0


async def test_unknown_hash_has_the_status_of_its_media_type(client: httpx.AsyncClient) -> None:
    unknown = await send(client, by_hash("0" * 64), accept=GRAPHQL)
    assert (unknown.status_code, code(unknown)) == (400, "PERSISTED_QUERY_NOT_FOUND")


async def test_other_processes_learn_a_hash_through_redis(
    client: httpx.AsyncClient, database_url: str, redis_url: str
) -> None:
    query = own_query()
    await send(client, by_hash(digest_of(query), query))
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as other:
        assert measures(await send(other, by_hash(digest_of(query)))) > 0


async def test_text_in_redis_with_another_hash_is_ignored(
    client: httpx.AsyncClient, redis_url: str
) -> None:
    from redis.asyncio import Redis

    digest = digest_of(own_query())
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"documents:{digest}", b"\0" * 8 + b"{ measures { measure } }")
    assert code(await send(client, by_hash(digest))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_hash_of_another_text_is_refused_and_not_stored(
    client: httpx.AsyncClient,
) -> None:
    query, other = own_query(), own_query()
    assert code(await send(client, by_hash(digest_of(other), query))) == "BAD_USER_INPUT"
    assert code(await send(client, by_hash(digest_of(other)))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_invalid_documents_are_not_stored(
    client: httpx.AsyncClient,
) -> None:
    query = own_query().replace("measure }", "nonsense }")
    assert code(await send(client, by_hash(digest_of(query), query))) == "BAD_USER_INPUT"
    assert code(await send(client, by_hash(digest_of(query)))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": 5}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "zz"}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}},
        {"documentId": 7},
        {"documentId": "sha256:short"},
        {"extensions": {}},
    ],
)
async def test_malformed_hashes_are_refused_and_named(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await send(client, body)
    assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")
    assert answer.json()["errors"][0]["extensions"]["argument"]


async def test_persisted_queries_work_in_a_process_without_redis(database_url: str) -> None:
    with temporary_folder() as folder, running_server(EmbeddedRedis(folder)) as redis:
        url = redis.url
    async with running(settings_for(database_url, url), None, **as_role(Role.ADMIN)) as client:
        query = own_query()
        assert code(await send(client, by_hash(digest_of(query)))) == "PERSISTED_QUERY_NOT_FOUND"
        assert measures(await send(client, by_hash(digest_of(query), query))) > 0
        assert measures(await send(client, by_hash(digest_of(query)))) > 0


@pytest.fixture
def documents(own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `gateway documents` with its arguments; the result has output and exit code."""
    monkeypatch.setenv("DATABASE_URL", own_database_url)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(command, ["documents", *map(str, arguments)])


REGISTERED = "query Registered { measures { measure } }"


async def test_only_registered_documents_run_where_that_is_enforced(
    own_database_url: str, redis_url: str
) -> None:
    connection = await asyncpg.connect(own_database_url)
    await connection.execute(
        "insert into trusted_documents values ($1, $2, 'Registered', now())",
        digest_of(REGISTERED),
        REGISTERED,
    )
    await connection.close()
    settings = settings_for(own_database_url, redis_url, trusted_documents="enforce")
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        for trusted in (by_hash(digest_of(REGISTERED)), {"query": REGISTERED}):
            assert measures(await send(client, trusted)) > 0
        query = own_query()
        for other in ({"query": query}, by_hash(digest_of(query)), by_hash("0" * 64)):
            assert code(await send(client, other)) == "PERSISTED_QUERY_NOT_IN_LIST"
        assert code(await send(client, {"query": "{"})) == "PERSISTED_QUERY_NOT_IN_LIST"


async def test_log_mode_runs_everything_and_counts(own_database_url: str, redis_url: str) -> None:
    settings = settings_for(own_database_url, redis_url, trusted_documents="log")
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        query = own_query()
        assert measures(await send(client, by_hash(digest_of(query), query))) > 0
        assert measures(await send(client, by_hash(digest_of(query)))) > 0
        metrics = (await client.get("/metrics")).text
        assert "gateway_graphql_untrusted_documents_total 2.0" in metrics


def test_registering_listing_and_removing(documents: Any, tmp_path: Path) -> None:
    (tmp_path / "operations").mkdir()
    (tmp_path / "operations" / "one.graphql").write_text(REGISTERED)
    second = "query Second { measures { unit } }"
    apollo = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": digest_of(second), "body": second, "name": "Second"}],
    }
    (tmp_path / "apollo.json").write_text(json.dumps(apollo))
    third = "query Third { measures { clock } }"
    (tmp_path / "relay.json").write_text(json.dumps({digest_of(third): third}))
    done = documents("register", tmp_path)
    assert (done.exit_code, done.output) == (0, "3 registered, 0 were known.\n")
    assert documents("register", tmp_path).output == "0 registered, 3 were known.\n"
    listed = documents("list").output.splitlines()
    assert [line.split()[-1] for line in listed] == ["Registered", "Second", "Third"]
    assert listed[0].startswith(digest_of(REGISTERED))
    assert documents("remove", digest_of(third)).output == "1 removed.\n"
    assert documents("remove", digest_of(third)).exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bad.graphql", "{ nonsense }", "Cannot query field 'nonsense'"),
        ("bad.graphql", "{", "Syntax Error"),
        ("bad.json", "{", "not JSON"),
        ("bad.json", "[]", "not a manifest"),
        ("bad.json", '{"operations": [{"id": 5}]}', "not a manifest"),
        ("bad.json", json.dumps({"0" * 64: REGISTERED}), "is not the SHA-256"),
        ("bad.txt", "hello", "No document was found"),
    ],
)
def test_invalid_files_register_nothing(
    documents: Any, tmp_path: Path, name: str, content: str, words: str
) -> None:
    (tmp_path / "a.graphql").write_text("query A { measures { unit } }")
    bad = tmp_path / name
    bad.write_text(content)
    done = documents("register", tmp_path / "a.graphql", bad) if name != "bad.txt" else None
    done = done or documents("register", bad)
    assert done.exit_code == 1
    assert words in done.output
    assert documents("list").output == ""


async def make_unavailable(databases: Databases, url: str) -> None:
    """Make the database refuse connections, and end the open ones."""
    name = url.rpartition("/")[2].partition("?")[0]
    sessions = f"select pid from pg_stat_activity where datname = '{name}'"
    for statement in (
        f"alter database {name} allow_connections false",
        f"select pg_terminate_backend(pid) from ({sessions}) as sessions",
    ):
        await asyncio.to_thread(databases.execute, statement)


async def test_trusted_documents_run_while_the_database_is_away(
    databases: Databases, own_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persisted, "TRUST_SECONDS", 0.0)
    connection = await asyncpg.connect(own_database_url)
    await connection.execute(
        "insert into trusted_documents values ($1, $2, 'Registered', now())",
        digest_of(REGISTERED),
        REGISTERED,
    )
    await connection.close()
    enforced = settings_for(own_database_url, redis_url, trusted_documents="enforce")
    logged = settings_for(own_database_url, redis_url, trusted_documents="log")
    headers = as_role(Role.ADMIN)
    async with (
        running(enforced, None, **headers) as strict,
        running(logged, None, **headers) as lenient,
    ):
        assert measures(await send(strict, {"query": REGISTERED})) > 0
        await make_unavailable(databases, own_database_url)
        for trusted in (by_hash(digest_of(REGISTERED)), {"query": REGISTERED}):
            assert measures(await send(strict, trusted)) > 0
        assert (await send(strict, {"query": own_query()})).status_code == 503
        assert measures(await send(lenient, {"query": own_query()})) > 0
