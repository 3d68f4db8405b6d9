"""Who pays for the requests of SDKs: the key, or else the address."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import randrange

import pytest

from storage.admin import project_keys as table
from storage.admin.project_keys import ProjectKey
from storage.connections.database import Database
from tests.gateway.application import AppClient, running, settings_for
from tests.gateway.rest.sdks import envelope, event, item, new_sdk
from tests.gateway.rest.test_sentry import COMPRESSORS, PAGE


@asynccontextmanager
async def limited(database_url: str, redis_url: str, address_max: int) -> AsyncIterator[AppClient]:
    """A gateway with budgets, and a client that has an address of its own."""
    settings = settings_for(
        database_url,
        redis_url,
        rate_limit_enabled=True,
        rate_limit_address_max=address_max,
        trusted_proxies="127.0.0.0/8",
    )
    address = f"2001:db8:{randrange(1 << 16):x}:{randrange(1 << 16):x}::1"
    async with running(settings, None, **{"x-forwarded-for": address}) as client:
        yield client


async def test_guesses_of_keys_are_limited_by_address_before_they_are_looked_up(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with limited(database_url, redis_url, 3) as client:
        sdk, answers = await new_sdk(client), []
        assert (await sdk.send(event())).status_code == 200  # its key is looked up once
        with monkeypatch.context() as patched:
            looked_up = counted(patched)
            for number in range(5):
                wrong = {"x-sentry-auth": f"Sentry sentry_key={number:032x}"}
                answers.append(await client.post(sdk.path(), content=b"{}\n", headers=wrong))
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429, 429]
        assert looked_up == [f"{number:032x}" for number in range(2)]
        wait = answers[-1].headers["retry-after"]
        assert answers[-1].headers["x-sentry-rate-limits"] == f"{wait}::key"
        # A known key pays nothing for its neighbours.
        assert (await sdk.send(event())).status_code == 200


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are looked up from now on."""
    looked_up, find = list[str](), table.find

    async def find_and_count(database: Database, public_key: str) -> ProjectKey | None:
        looked_up.append(public_key)
        return await find(database, public_key)

    monkeypatch.setattr(table, "find", find_and_count)
    return looked_up


async def test_one_process_bounds_the_requests_with_one_key(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those without events have no budget of their own; a key with a larger one may send more."""
    monkeypatch.setattr("gateway.rest.guard.REQUESTS_PER_MINUTE", 2)
    async with limited(database_url, redis_url, 1_000) as client:
        small, large = [await new_sdk(client, events_per_minute=most) for most in (1, 4)]
        body = envelope(item(b"{}", "session"))
        for sdk, expected in ((small, [200, 200, 429]), (large, [200] * 4 + [429])):
            answers = [await sdk.post(body) for _ in expected]
            assert [answer.status_code for answer in answers] == expected
            wait = answers[-1].headers["retry-after"]
            assert answers[-1].headers["x-sentry-rate-limits"] == f"{wait}::key"
            assert (await sdk.dropped())["envelope", "key_budget"] == 1


async def test_bytes_are_charged_wherever_the_key_is(database_url: str, redis_url: str) -> None:
    async with limited(database_url, redis_url, 1_000) as client:
        sdk = await new_sdk(client)
        dsn = f"https://{sdk.key.public_key}@errors.example.com/{sdk.key.project_id}"
        body = envelope(item(event()), dsn=dsn)
        answers = [await client.post(sdk.path(), content=body), await sdk.post(body)]
        charged = [answer.headers["ratelimit-policy"].partition(";")[0] for answer in answers]
        assert charged == ['"kibibytes"'] * 2


@pytest.mark.parametrize("encoding", ["", *COMPRESSORS])
async def test_a_known_key_in_the_envelope_alone_pays_for_itself(
    database_url: str, redis_url: str, encoding: str
) -> None:
    """Also where the body is large: its first bytes name the key."""
    compress = COMPRESSORS.get(encoding, bytes)
    headers = {"content-encoding": encoding}
    async with limited(database_url, redis_url, 2) as client:
        sdk = await new_sdk(client)
        assert (await sdk.send(event())).status_code == 200
        dsn = f"https://{sdk.key.public_key}@errors.example.com/{sdk.key.project_id}"
        bodies = [
            envelope(item(event()), item(os.urandom(size), "attachment"), dsn=dsn)
            for size in (1, 1, 1, 2_000_000)
        ]
        answers = [
            await client.post(sdk.path(), content=compress(body), headers=headers)
            for body in bodies
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        unknown = envelope(item(event()), dsn=dsn.replace(sdk.key.public_key, "a" * 32))
        damaged = compress(unknown)[1:]
        answers = [
            await client.post(sdk.path(), content=body, headers=headers)
            for body in (compress(unknown), damaged)
        ]
        assert [answer.status_code for answer in answers] == [401, 429]


async def test_requests_with_a_revoked_key_are_charged_to_the_address(
    database_url: str, redis_url: str
) -> None:
    async with limited(database_url, redis_url, 3) as client:
        sdk = await new_sdk(client)
        async with client.gateway.services.database.transaction() as connection:
            await table.revoke(connection, sdk.key.public_key, "ada", datetime.now(UTC))
        answers = [await sdk.send(event()) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [403, 403, 403, 429]


async def test_requests_of_foreign_pages_are_counted(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rest.guard.REQUESTS_PER_MINUTE", 2)
    async with limited(database_url, redis_url, 1_000) as client:
        sdk = await new_sdk(client, events_per_minute=1, origins=(PAGE,))
        answers = [await sdk.post(b"{}\n", origin="https://elsewhere.example") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [403, 403, 429]
