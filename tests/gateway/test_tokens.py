"""Tokens over HTTP: public keys from a real key server, and service tokens from end to end."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from access.credentials import CACHE_SECONDS
from access.keys import KeysUnreadable
from access.service_tokens import (
    MAX_PROJECTS,
    ServiceTokens,
    _parts,
    make,
    problems,
)
from access.viewers import Role
from gateway.cli.main import app as command
from gateway.config import migrations
from gateway.config.key_server import BODY_BYTES, fetch_keys, url_fault
from gateway.config.settings import SettingsError
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running as running_server
from storage.admin import service_tokens as table
from storage.connections.database import Database
from storage.errors import Unauthenticated, Unavailable
from tests.access.test_keys import private_key, public
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import PARTY
from tests.servers import temporary_folder

ME = {"query": "{ viewer { subject roles } }"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@contextmanager
def key_server(body: bytes, status: int = 200, **headers: str) -> Iterator[str]:
    """A key server of its own thread; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def keys(*members: Any) -> bytes:
    return json.dumps({"keys": members}).encode()


def provider_token(name: str = "one") -> dict[str, str]:
    claims = {"sub": "from-provider", "iss": PARTY, "aud": PARTY, "roles": ["viewer"]}
    claims["exp"] = (datetime.now(UTC) + timedelta(minutes=5)).timestamp()  # type: ignore[assignment]
    key = private_key("RSA", name)
    token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": name})
    return {"authorization": f"Bearer {token}"}


async def test_tokens_of_an_identity_provider_are_believed(
    database_url: str, redis_url: str
) -> None:
    with key_server(keys(public("RS256"))) as url:
        settings = settings_for(database_url, redis_url, jwt_jwks_url=url)
        async with running(settings) as client:
            answer = await client.post("/graphql", json=ME, headers=provider_token())
            assert answer.json()["data"]["viewer"]["subject"] == "from-provider"
            other = await client.post("/graphql", json=ME, headers=provider_token("other"))
            assert other.status_code == 401
            told = other.headers["www-authenticate"]
            assert 'error="invalid_token"' in told
            assert "signature does not match" in told
            own = await client.post("/graphql", json=ME, headers=as_role(Role.VIEWER))
            assert own.json()["data"]["viewer"]["subject"] == "ada"


async def test_without_the_key_server_nobody_can_tell_and_that_is_said(
    database_url: str, redis_url: str
) -> None:
    with key_server(b"", 500) as url:
        settings = settings_for(database_url, redis_url, jwt_jwks_url=url)
        async with running(settings) as client:
            answer = await client.post("/graphql", json=ME, headers=provider_token())
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [(b"x" * (BODY_BYTES + 1), 200, {}), (b"", 302, {"location": "http://x/"}), (b"", 404, {})],
)
async def test_key_servers_that_answer_with_something_else_are_not_read(
    body: bytes, status: int, headers: dict[str, str]
) -> None:
    with key_server(body, status, **headers) as url, pytest.raises(KeysUnreadable):
        await fetch_keys(url)


async def test_key_server_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        with suppress(ConnectionError):
            for _ in range(100):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()

    monkeypatch.setattr("gateway.config.key_server.TIMEOUT_SECONDS", 0.5)
    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(3):
        with pytest.raises(KeysUnreadable):
            await fetch_keys(f"http://127.0.0.1:{port}/keys")
    server.close()


async def test_the_age_a_key_server_tells_is_read() -> None:
    with key_server(keys(), cache_control="public, max-age=120") as url:
        assert (await fetch_keys(url)).max_age_seconds == 120


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://login.example/keys", True),
        ("http://127.0.0.1:9/keys", True),
        ("http://login.example/keys", False),
        ("file:///etc/passwd", False),
        ("keys", False),
    ],
)
def test_keys_come_by_https_alone(url: str, fine: bool) -> None:
    assert (url_fault(url) is None) is fine


CREATE = """mutation($i: ServiceTokenInput!) { createServiceToken(input: $i) {
  token serviceToken { id name roles projects lastUsedAt } userErrors { field } } }"""
REVOKE = """mutation($id: ID!) { revokeServiceToken(input: {id: $id}) {
  serviceToken { revokedAt } userErrors { field code } } }"""
LIST = "{ serviceTokens(first: 100) { nodes { id name revokedAt lastUsedAt } totalCount } }"


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    return (await client.post("/graphql", json=body, headers=as_role(Role.ADMIN))).json()


async def create(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    given = {"name": f"ci-{uuid4().hex[:6]}", "roles": ["INGEST"], "projects": ["token-shop"]}
    made: dict[str, Any] = await ask(client, CREATE, i=given | more)
    return dict(made["data"]["createServiceToken"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_service_token_does_what_it_may_and_nothing_else(
    own_database_url: str, redis_url: str
) -> None:
    async with running(settings_for(own_database_url, redis_url)) as client:
        slug = 'mutation { upsertProject(input: {slug: "token-shop"}) { project { slug } } }'
        await ask(client, slug)
        made = await create(client)
        assert made["userErrors"] == []
        headers = bearer(made["token"])
        event = {"type": "deployment.queued", "deployment": "d", "time": datetime.now(UTC)}
        body = json.dumps(event, default=lambda value: value.isoformat())
        answer = await client.post("/v1/events", content=body, headers=headers)
        assert answer.json()["results"][0]["status"] == "accepted"
        other = json.dumps({**event, "project": "not-mine"}, default=str)
        answer = await client.post("/v1/events", content=other, headers=headers)
        assert answer.json()["results"][0]["status"] == "rejected"
        answer = await client.post(
            "/graphql", json={"query": "{ networks { name } }"}, headers=headers
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        answer = await client.post("/graphql", json={"query": LIST}, headers=headers)
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        reader = await create(client, roles=["VIEWER"])
        answer = await client.post("/graphql", json=ME, headers=bearer(reader["token"]))
        name = reader["serviceToken"]["name"]
        assert answer.json()["data"]["viewer"]["subject"] == f"service-token:{name}"


async def test_revoked_token_is_refused_in_every_process(
    own_database_url: str, redis_url: str
) -> None:
    settings = settings_for(own_database_url, redis_url)
    async with running(settings) as here, running(settings) as there:
        made = await create(here, roles=["VIEWER"])
        headers = bearer(made["token"])
        for client in (here, there):
            assert (await client.post("/graphql", json=ME, headers=headers)).status_code == 200
        done = await ask(here, REVOKE, id=made["serviceToken"]["id"])
        assert done["data"]["revokeServiceToken"]["serviceToken"]["revokedAt"]

        async def refused() -> bool:
            answers = [
                await each.post("/graphql", json=ME, headers=headers) for each in (here, there)
            ]
            return all(answer.status_code == 401 for answer in answers)

        await eventually(refused, seconds=CACHE_SECONDS + 2)
        answer = await there.post("/graphql", json=ME, headers=headers)
        assert "has been revoked" in answer.headers["www-authenticate"]


async def test_last_use_is_noted_and_the_secret_is_nowhere(
    own_database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(own_database_url, redis_url)
    async with running(settings) as client:
        made = await create(client, roles=["VIEWER"])
        await client.post("/graphql", json=ME, headers=bearer(made["token"]))
    secret = made["token"].split("_", 2)[2][:43]
    async with running(settings) as client:
        listed = (await ask(client, LIST))["data"]["serviceTokens"]
        assert listed["totalCount"] == 1
        assert listed["nodes"][0]["lastUsedAt"] is not None
        assert secret not in str(listed)
    connection = await asyncpg.connect(own_database_url)
    for name in ("service_tokens", "audit_log"):
        rows = await connection.fetch(f"select * from {name}")
        assert rows
        assert secret not in str([list(row.values()) for row in rows])
    await connection.close()
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"roles": []}, "roles"),
        ({"roles": ["ADMIN"]}, "roles"),
        ({"projects": []}, "projects"),
        ({"projects": ["nul\0"]}, "projects"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": 367}, "expiresInDays"),
        ({"expiresInDays": -(2**31)}, "expiresInDays"),
    ],
)
async def test_tokens_that_may_not_be_made_are_refused(
    database_url: str, redis_url: str, wrong: dict[str, Any], field: str
) -> None:
    async with running(settings_for(database_url, redis_url)) as client:
        if wrong == {"projects": ["nul\0"]}:
            wrong = {"projects": ["tab\t"]}
        made = await create(client, **wrong)
        assert (made["token"], made["serviceToken"]) == (None, None)
        assert [error["field"] for error in made["userErrors"]] == [["input", field]]


async def test_unknown_and_malformed_tokens_are_refused(database_url: str, redis_url: str) -> None:
    made = make("x", [Role.VIEWER], ["p"], lifetime=timedelta(days=1), by="me", now=NOW)
    async with running(settings_for(database_url, redis_url)) as client:
        for text, reason in (
            (made.text, "no such service token"),
            (made.text[:-1] + ("0" if made.text[-1] != "0" else "1"), "mistyped"),
            ("dagt_", "mistyped"),
            ("dagt_x_y_z", "mistyped"),
        ):
            answer = await client.post("/graphql", json=ME, headers=bearer(text))
            assert answer.status_code == 401
            assert reason in answer.headers["www-authenticate"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_token_seen_lately_is_believed_while_the_database_is_away(
    own_database_url: str,
) -> None:
    database = await Database.open(own_database_url, pool_size=1)
    made = make("x", [Role.VIEWER], ["p"], lifetime=timedelta(days=1), by="me", now=NOW)
    async with database.connection() as connection:
        await table.add(connection, made.stored)
    clock = Clock()
    tokens = ServiceTokens(database, lambda: NOW, clock)
    await tokens.authenticate(made.text)
    await database.close()
    tokens._database = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    clock.now += CACHE_SECONDS + 1
    assert (await tokens.authenticate(made.text)).token_id == made.stored.token_id
    clock.now += 60
    with pytest.raises(Unavailable):
        await tokens.authenticate(made.text)
    await tokens._database.close()


async def test_token_that_is_looked_up_again_has_the_same_viewer(own_database_url: str) -> None:
    """So that what is kept for a viewer of many projects holds them once."""
    database = await Database.open(own_database_url, pool_size=1)
    made = make("x", [Role.VIEWER], ["p"], lifetime=timedelta(days=1), by="me", now=NOW)
    async with database.connection() as connection:
        await table.add(connection, made.stored)
    clock = Clock()
    tokens = ServiceTokens(database, lambda: NOW, clock)
    viewer = await tokens.authenticate(made.text)
    clock.now += CACHE_SECONDS + 1
    assert await tokens.authenticate(made.text) is viewer
    await database.close()


async def test_token_ends_when_its_time_is_over(own_database_url: str) -> None:
    database = await Database.open(own_database_url, pool_size=1)
    made = make("x", [Role.VIEWER], ["p"], lifetime=timedelta(days=1), by="me", now=NOW)
    async with database.connection() as connection:
        await table.add(connection, made.stored)
    tokens = ServiceTokens(database, lambda: NOW + timedelta(days=1), Clock())
    with pytest.raises(Unauthenticated, match="has expired"):
        await tokens.authenticate(made.text)
    wrong_secret = make("x", [Role.VIEWER], ["p"], lifetime=timedelta(days=1), by="me", now=NOW)
    mixed = f"dagt_{made.stored.token_id.hex}_{wrong_secret.text.split('_', 2)[2][:43]}"
    from access.service_tokens import _checksum

    with pytest.raises(Unauthenticated, match="no such"):
        await tokens.authenticate(f"{mixed}_{_checksum(mixed)}")
    await database.close()


def test_a_token_has_so_many_projects_at_most() -> None:
    many = [f"p{number}" for number in range(MAX_PROJECTS + 1)]
    lifetime = timedelta(days=1)
    assert problems("ci", [Role.VIEWER], many[1:], lifetime) == []
    assert [field for field, _ in problems("ci", [Role.VIEWER], many, lifetime)] == ["projects"]


@given(st.text(max_size=120), st.sampled_from(["", "dagt_", "dagt_" + "0" * 32 + "_"]))
def test_no_text_is_taken_for_a_token_by_chance(text: str, prefix: str) -> None:
    with pytest.raises(Unauthenticated):
        _parts(prefix + text)


def test_command_line_makes_lists_and_revokes(
    own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_database_url)
    runner = CliRunner()
    arguments = ["token", "create", "ci", "--role", "ingest", "--project", "shop", "--json"]
    made = json.loads(runner.invoke(command, arguments).stdout)
    assert made["token"].startswith("dagt_")
    listed = runner.invoke(command, ["token", "list"]).stdout
    assert made["id"] in listed
    assert made["token"] not in listed
    assert json.loads(runner.invoke(command, ["token", "list", "--json"]).stdout)["name"] == "ci"
    done = runner.invoke(command, ["token", "revoke", made["id"]])
    assert done.stdout == f"{made['id']} is revoked.\n"
    assert "revoked" in runner.invoke(command, ["token", "list"]).stdout
    assert runner.invoke(command, ["token", "revoke", str(uuid4())]).exit_code == 1
    bad = runner.invoke(command, ["token", "create", "ci", "--role", "admin", "--project", "shop"])
    assert bad.exit_code == 1
    assert "roles" in bad.output

    async def actions() -> list[str]:
        connection = await asyncpg.connect(own_database_url)
        rows = await connection.fetch("select action from audit_log order by entry_id")
        await connection.close()
        return [row["action"] for row in rows]

    assert asyncio.run(actions())[:2] == ["token.create", "token.revoke"]


@pytest.mark.process
def test_commands_find_the_database_that_runs_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with temporary_folder() as folder:
        monkeypatch.setenv("DATA_DIR", str(folder))
        runner = CliRunner()
        alone = runner.invoke(command, ["token", "list"])
        assert isinstance(alone.exception, SettingsError)
        server = EmbeddedPostgres(folder, lambda _line: None, throw_away=True)
        with running_server(server):
            migrations.upgrade(server.url())
            arguments = ["token", "create", "beside", "--role", "viewer", "--project", "shop"]
            assert runner.invoke(command, arguments).exit_code == 0
            assert "beside" in runner.invoke(command, ["token", "list"]).stdout
