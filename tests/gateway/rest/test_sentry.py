"""The protocol of Sentry's SDKs over HTTP: credentials, envelopes, and what is answered."""

import base64
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import brotli
import pytest
import zstandard

from storage.admin import project_keys as table
from tests.gateway.application import AppClient
from tests.gateway.rest.sdks import Sdk, envelope, event, gateway, item, new_sdk

PAGE = "https://shop.example.com"


@pytest.fixture(scope="module")
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    async with gateway(database_url, redis_url) as client:
        yield client


@pytest.fixture
async def sdk(client: AppClient) -> Sdk:
    return await new_sdk(client)


def id_of(sent: dict[str, Any]) -> UUID:
    return UUID(sent["event_id"])


async def test_an_event_in_an_envelope_is_stored_and_its_id_returned(sdk: Sdk) -> None:
    sent = event(release="shop@1.2.3", environment="staging")
    answer = await sdk.send(sent)
    assert (answer.status_code, answer.json()) == (200, {"id": sent["event_id"]})
    (row,) = await sdk.stored()
    assert (row["event_id"], row["release"]) == (id_of(sent), "shop@1.2.3")
    assert row["occurred_at"].timestamp() == pytest.approx(sent["timestamp"], abs=0.001)
    (body,) = await sdk.bodies()
    assert body["exception"]["values"][0]["value"] == "it broke"


@pytest.mark.parametrize("kind", ["envelope", "store"])
async def test_paths_may_lack_the_last_slash(sdk: Sdk, kind: str) -> None:
    sent = event()
    body = envelope(item(sent)) if kind == "envelope" else json.dumps(sent).encode()
    path = sdk.path(kind).rstrip("/")
    answer = await sdk.client.post(path, content=body, headers=sdk.auth)
    assert (answer.status_code, await sdk.ids()) == (200, {id_of(sent)})


async def test_store_takes_one_event_plain_or_in_base64(sdk: Sdk) -> None:
    first, second = event("a"), event("b")
    packed = base64.b64encode(zlib.compress(json.dumps(second).encode()))
    for body in (json.dumps(first).encode(), packed):
        assert (await sdk.post(body, "store")).status_code == 200
    assert await sdk.ids() == {id_of(first), id_of(second)}


async def test_store_by_get_is_refused_with_the_method_to_use(sdk: Sdk) -> None:
    answer = await sdk.client.get(sdk.path("store") + "?sentry_data=x", headers=sdk.auth)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("way", ["header", "authorization", "query", "envelope", "old"])
async def test_the_key_may_be_given_in_each_way(sdk: Sdk, way: str) -> None:
    key, header, sent = sdk.key.public_key, {}, event()
    headers, query = {}, ""
    if way == "header":
        headers = {"x-sentry-auth": f"Sentry sentry_client=x/1, sentry_key={key}"}
    elif way == "old":
        text = f"Sentry sentry_version=6,sentry_key={key},sentry_secret={'0' * 32}"
        headers = {"x-sentry-auth": text}
    elif way == "authorization":
        headers = {"authorization": f"Sentry sentry_key={key}"}
    elif way == "query":
        query = f"?sentry_version=7&sentry_key={key}"
    else:
        header = {"dsn": f"https://{key}@errors.example.com/{sdk.key.project_id}"}
    body = envelope(item(sent), **header)
    answer = await sdk.client.post(sdk.path() + query, content=body, headers=headers)
    assert (answer.status_code, await sdk.ids()) == (200, {id_of(sent)})


async def test_requests_without_a_good_key_are_refused_with_a_reason(
    client: AppClient, sdk: Sdk
) -> None:
    other = await new_sdk(client)
    body = envelope(item(event()))
    asked = {
        "missing": (sdk.path(), {}, 401),
        "unknown": (sdk.path(), {"x-sentry-auth": f"Sentry sentry_key={'a' * 32}"}, 401),
        "no key": (sdk.path(), {"x-sentry-auth": "Sentry sentry_key=abc"}, 401),
        "another project's": (sdk.path(), other.auth, 401),
        "no number": ("/api/shop/envelope/", sdk.auth, 400),
        "our own token": (sdk.path(), {"authorization": "Bearer x"}, 401),
    }
    for name, (path, headers, status) in asked.items():
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code, name) == (status, name)
        assert answer.headers["x-sentry-error"] == answer.json()["detail"]
    reasons = set()
    for path, headers, _status in (asked["unknown"], asked["another project's"]):
        answer = await client.post(path, content=body, headers=headers)
        reasons.add(answer.headers["x-sentry-error"])
    assert len(reasons) == 1
    assert await sdk.stored() == []


async def test_a_revoked_key_is_forbidden(sdk: Sdk) -> None:
    assert (await sdk.send(event())).status_code == 200
    async with sdk.client.gateway.services.database.transaction() as connection:
        await table.revoke(connection, sdk.key.public_key, "ada", datetime.now(UTC))
    sdk.forget()
    answer = await sdk.send(event())
    assert (answer.status_code, len(await sdk.stored())) == (403, 1)


COMPRESSORS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", COMPRESSORS)
async def test_compressed_bodies_are_read_and_bombs_are_not(sdk: Sdk, encoding: str) -> None:
    sent = event()
    compress = COMPRESSORS[encoding]
    good = compress(envelope(item(sent)))
    assert (await sdk.post(good, **{"content-encoding": encoding})).status_code == 200
    bomb = compress(b"{}\n" + b" " * 60_000_000)
    answers = [
        await sdk.post(body, **{"content-encoding": encoding})
        for body in (bomb, good[:-1], b"no such stream")
    ]
    assert [answer.status_code for answer in answers] == [413, 400, 400]
    assert await sdk.ids() == {id_of(sent)}
    expected = {("envelope", "too_large"): 1, ("envelope", "unreadable"): 2}
    assert await sdk.dropped() == expected


async def test_every_kind_of_item_is_accepted_and_counted(sdk: Sdk) -> None:
    sent = event()
    kinds = {
        "session": "session",
        "sessions": "session",
        "attachment": "attachment",
        "user_report": "feedback",
        "feedback": "feedback",
        "profile": "profile",
        "profile_chunk": "profile",
        "replay_event": "replay",
        "replay_recording": "replay",
        "replay_video": "replay",
        "check_in": "check_in",
        "log": "log",
        "statsd": "metric",
        "span": "span",
        "client_report": "client_report",
        "of_the_future": "other",
    }
    others = [item(b'{"a": 1}', kind) for kind in kinds]
    answer = await sdk.post(envelope(*others[:8], item(sent), *others[8:]))
    assert (answer.status_code, await sdk.ids()) == (200, {id_of(sent)})
    dropped = await sdk.dropped()
    assert dropped.total() == len(kinds)
    assert {category for category, reason in dropped if reason == "not_used"} == set(kinds.values())


async def test_what_the_client_says_it_dropped_is_counted(sdk: Sdk) -> None:
    report = {
        "discarded_events": [
            {"reason": "ratelimit_backoff", "category": "error", "quantity": 3},
            {"reason": "sample_rate", "category": "transaction", "quantity": 5},
            {"reason": "before_send", "category": "error", "quantity": 2},
            {"reason": "queue_overflow", "category": "error", "quantity": 1},
            {"reason": "network_error", "category": "attachment", "quantity": 9000},
            {"reason": "network_error", "category": "error", "quantity": -1},
            {"reason": None, "category": "error", "quantity": 1},
            "no line",
        ]
    }
    answer = await sdk.post(envelope(item(report, "client_report")))
    assert (answer.status_code, answer.json()) == (200, {})
    assert await sdk.dropped() == {
        ("client_report", "not_used"): 1,
        ("error", "client_rate_limited"): 3,
        ("transaction", "client_sampled"): 5,
        ("error", "client_filtered"): 2,
        ("error", "client_lost"): 1,
    }


async def test_an_event_is_stored_once_however_often_it_comes(sdk: Sdk) -> None:
    sent = event()
    for _ in range(3):
        assert (await sdk.send(sent, sent)).status_code == 200
    assert await sdk.ids() == {id_of(sent)}
    assert len(await sdk.stored()) == 1
    assert await sdk.dropped() == {("error", "duplicate"): 5}


async def test_an_event_without_an_id_gets_that_of_the_envelope_or_of_its_content(
    sdk: Sdk,
) -> None:
    header_id = uuid4().hex
    first, second = event("a", event_id=...), event("b", event_id="none")
    for _ in range(2):
        answer = await sdk.send(first, second, event_id=header_id)
        assert answer.json() == {"id": header_id}
    ids = await sdk.ids()
    assert len(ids) == 2
    assert UUID(header_id) in ids


async def test_events_lost_by_their_own_fault_are_answered_with_it(sdk: Sdk) -> None:
    large = event("x" * 1_100_000)
    good = event()
    answers = [
        await sdk.send(large),
        await sdk.post(envelope(item(b"{no json"))),
        await sdk.post(envelope(item([1, 2]))),
        await sdk.post(b"no header\n"),
        await sdk.post(b""),
        await sdk.send(large, good),
    ]
    assert [answer.status_code for answer in answers] == [413, 400, 400, 400, 400, 200]
    assert await sdk.ids() == {id_of(good)}
    assert await sdk.dropped() == {
        ("error", "too_large"): 2,
        ("error", "unreadable"): 2,
        ("envelope", "unreadable"): 2,
    }


async def test_too_many_items_are_refused_at_once(sdk: Sdk) -> None:
    answer = await sdk.post(envelope(*[item(b"{}", "span")] * 1_001))
    assert answer.status_code == 422
    assert await sdk.dropped() == {("envelope", "too_many"): 1}


async def test_filters_drop_what_the_key_refuses(client: AppClient) -> None:
    sdk = await new_sdk(
        client,
        refused_releases=("web@1.*",),
        refused_texts=("ResizeObserver", "TimeoutError:*socket*"),
        refuses_legacy_browsers=True,
    )
    old = {"headers": [["User-Agent", "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)"]]}
    new = {"headers": {"User-Agent": "Mozilla/5.0 (X11) Chrome/140.0.0.0 Safari/537.36"}}
    timeout = {"values": [{"type": "TimeoutError", "value": "the socket was closed"}]}
    kept = [
        event(release="web@2.0"),
        event(platform="javascript", request=new),
        event(request=old),  # of a server that such a browser asked
        event("the socket was closed"),
    ]
    await sdk.send(
        event(release="web@1.9"),
        event("resizeobserver loop limit exceeded"),
        event(exception=timeout),
        event(exception=..., message="ResizeObserver loop"),
        event(platform="javascript", request=old),
        *kept,
    )
    assert await sdk.ids() == set(map(id_of, kept))
    assert await sdk.dropped() == {
        ("error", "release_filter"): 1,
        ("error", "text_filter"): 3,
        ("error", "browser_filter"): 1,
    }


async def test_a_spent_budget_is_told_as_sdks_understand_it(client: AppClient) -> None:
    sdk = await new_sdk(client, events_per_minute=2)
    answers = [await sdk.send(event()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    wait = int(answers[-1].headers["retry-after"])
    assert 0 < wait <= 60
    assert answers[-1].headers["x-sentry-rate-limits"] == f"{wait}:error;transaction:key"
    # What is not limited goes on.
    assert (await sdk.post(envelope(item(b"{}", "session")))).status_code == 200
    assert await sdk.dropped() == {("error", "key_budget"): 2, ("session", "not_used"): 1}


async def test_events_that_filters_drop_are_charged_too(client: AppClient) -> None:
    sdk = await new_sdk(client, events_per_minute=2, refused_releases=("bad",))
    answers = [await sdk.send(event(release="bad")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = await sdk.post(envelope(item(event(release="bad")), item(b"{}", "session")))
    assert refused.status_code == 429
    assert await sdk.dropped() == {
        ("error", "release_filter"): 2,
        ("error", "key_budget"): 2,
        ("session", "not_used"): 1,
    }


async def test_transactions_that_a_key_does_not_take_cost_it_nothing(client: AppClient) -> None:
    sdk = await new_sdk(client, events_per_minute=1)
    for _ in range(3):
        assert (await sdk.post(envelope(item(b"{}", "transaction")))).status_code == 200
    assert (await sdk.send(event())).status_code == 200
    assert await sdk.dropped() == {("transaction", "transactions_off"): 3}


async def test_sent_is_stored_plus_dropped(client: AppClient) -> None:
    sdk = await new_sdk(client, events_per_minute=12, refused_releases=("bad",))
    sent = 0
    for number in range(20):
        good, bad = event(str(number)), event(release="bad")
        await sdk.send(good, bad, good) if number % 2 else await sdk.send(good)
        sent += 3 if number % 2 else 1
    dropped = await sdk.dropped()
    assert len(await sdk.stored()) + dropped.total() == sent
    assert {reason for _category, reason in dropped} == {
        "duplicate",
        "release_filter",
        "key_budget",
    }


async def test_a_wrong_clock_is_corrected_by_when_it_sent(sdk: Sdk) -> None:
    now = datetime.now(UTC)
    ahead, behind = now + timedelta(days=400), now - timedelta(days=200)
    events = {}
    for name, clock in (("ahead", ahead), ("behind", behind)):
        sent = event(timestamp=(clock - timedelta(minutes=10)).isoformat())
        events[name] = id_of(sent)
        for _ in range(2):  # the second one comes later, and is recognised
            await sdk.send(sent, sent_at=clock.isoformat())
    rows = {row["event_id"]: row["occurred_at"] for row in await sdk.stored()}
    assert set(rows) == set(events.values())
    assert len(await sdk.stored()) == 2
    for at in rows.values():
        assert abs(at - (now - timedelta(minutes=10))) < timedelta(minutes=1)


async def test_times_that_no_clock_can_explain_are_of_the_arrival_or_dropped(sdk: Sdk) -> None:
    now = datetime.now(UTC)
    future = event(timestamp=(now + timedelta(days=3)).timestamp())
    missing, broken = event("b", timestamp=...), event("c", timestamp="soon")
    old = event(timestamp=(now - timedelta(days=3000)).isoformat())
    for _ in range(2):
        await sdk.send(future, missing, broken, old)
    rows = await sdk.stored()
    assert {row["event_id"] for row in rows} == {id_of(one) for one in (future, missing, broken)}
    assert all(abs(row["occurred_at"] - now) < timedelta(minutes=1) for row in rows)
    assert await sdk.dropped() == {("error", "too_old"): 2, ("error", "duplicate"): 3}


async def test_transactions_are_api_calls_where_the_key_says_so(client: AppClient) -> None:
    now = datetime.now(UTC)
    request = event(
        type="transaction",
        transaction="GET /orders/{id}",
        start_timestamp=(now - timedelta(milliseconds=250)).timestamp(),
        timestamp=now.timestamp(),
        contexts={"trace": {"op": "http.server"}, "response": {"status_code": "503"}},
    )
    task = request | {"event_id": uuid4().hex, "contexts": {"trace": {"op": "queue.task"}}}
    body = envelope(item(request, "transaction"), item(task, "transaction"))
    off, on = await new_sdk(client), await new_sdk(client, takes_transactions=True)
    for sdk in (off, on):
        assert (await sdk.post(body)).status_code == 200
    statement = "select status, duration_us from api_calls where project_id = $1"
    assert await off.fetch(statement) == []
    (call,) = await on.fetch(statement)
    assert (call["status"], call["duration_us"]) == (503, pytest.approx(250_000, abs=10))
    assert await off.dropped() == {("transaction", "transactions_off"): 2}
    assert await on.dropped() == {("transaction", "no_request"): 1}


async def test_pages_of_any_origin_may_send_unless_the_key_names_some(client: AppClient) -> None:
    free, bound = await new_sdk(client), await new_sdk(client, origins=(PAGE,))
    preflight = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-sentry-auth, content-type",
    }
    answer = await client.options(free.path(), headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Sentry-Auth" in answer.headers["access-control-allow-headers"]
    # A simple request, which a browser sends without a preflight.
    simple = {"content-type": "text/plain;charset=UTF-8", "sec-fetch-site": "cross-site"}
    statuses = []
    for sdk, origin in ((free, "https://elsewhere.example"), (bound, PAGE), (bound, "null")):
        sent = await client.post(
            f"{sdk.path()}?sentry_key={sdk.key.public_key}",
            content=envelope(item(event())),
            headers={**simple, "origin": origin},
        )
        statuses.append(sent.status_code)
        assert sent.headers["access-control-allow-origin"] == "*"
        assert "X-Sentry-Rate-Limits" in sent.headers["access-control-expose-headers"]
    assert statuses == [200, 200, 403]


async def test_drops_and_uses_are_counted_in_metrics_and_stored(sdk: Sdk) -> None:
    await sdk.post(envelope(item(b"{}", "log")))
    text = (await sdk.client.get("/metrics")).text
    assert 'gateway_dropped_events_total{category="log",reason="not_used"}' in text
    await sdk.client.gateway.sdks.keys.stored.write_uses()
    (row,) = await sdk.fetch("select last_used_at from project_keys where project_id = $1")
    assert datetime.now(UTC) - row["last_used_at"] < timedelta(minutes=1)
