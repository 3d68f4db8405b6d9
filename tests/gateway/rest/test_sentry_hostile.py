"""Hostile senders of SDKs' routes: no body breaks them, and no order changes a count."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.application import AppClient
from tests.gateway.rest.sdks import Sdk, envelope, event, gateway, item, new_sdk

EXPECTED = {200, 400, 401, 403, 413, 422, 429}


@pytest.fixture(scope="module")
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    async with gateway(database_url, redis_url) as client:
        yield client


@pytest.fixture(scope="module")
async def sdk(client: AppClient) -> Sdk:
    return await new_sdk(client, events_per_minute=1_000_000, takes_transactions=True)


deep: Any = "end"
for _ in range(400):
    deep = {"a": [deep]}

HOSTILE: dict[str, bytes] = {
    "null": b"null",
    "a number": b"1e999",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep event": json.dumps(event(extra=deep)).encode(),
    "not UTF-8": b'{"message":"\xff\xfe\x80"}',
    "half a surrogate": b'{"message":"\\ud800","user":{"id":"\\udfff"}}',
    "NUL": b'{"message":"a\\u0000b","tags":{"a\\u0000":"b"},"release":"\\u0000"}',
    "huge numbers": b'{"timestamp":1e400,"user":{"id":' + b"9" * 4000 + b"}}",
    "wrong everywhere": json.dumps(
        {name: [[1]] for name in ("exception", "message", "tags", "user", "request", "level")}
    ).encode(),
    "nulls": json.dumps(
        dict.fromkeys(["exception", "message", "tags", "user", "request", "level", "event_id"])
    ).encode(),
    "many keys": json.dumps({f"k{at}": at for at in range(20_000)}).encode(),
    "long names": json.dumps({"tags": {"x" * 100_000: "y"}, "release": "z" * 100_000}).encode(),
    "many exceptions": json.dumps(event(exception=[{"type": "E", "value": "v"}] * 20_000)).encode(),
    "transaction": json.dumps({"type": "transaction", "contexts": [], "transaction": {}}).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_event_breaks_the_event_beside_it(sdk: Sdk, name: str) -> None:
    good = event()
    body = envelope(item(HOSTILE[name]), item(good), item(HOSTILE[name], "client_report"))
    answer = await sdk.post(body)
    assert answer.status_code == 200
    assert UUID(good["event_id"]) in await sdk.ids()
    assert (await sdk.post(HOSTILE[name], "store")).status_code in EXPECTED


keys = st.sampled_from(
    ["type", "length", "event_id", "timestamp", "exception", "values", "message", "tags", "user",
     "request", "headers", "contexts", "trace", "release", "level", "discarded_events"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
lines = st.binary(max_size=40) | st.builds(
    lambda value: json.dumps(value).encode(), st.dictionaries(keys, values, max_size=4)
)
types = st.sampled_from(["event", "transaction", "session", "client_report", "odd", ""])
items = st.builds(lambda kind, body: item(body, kind), types, lines) | lines.map(
    lambda line: line + b"\n"
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(header=lines, parts=st.lists(items, max_size=5), kind=st.sampled_from(["envelope", "store"]))
async def test_no_bytes_cause_a_failure(
    sdk: Sdk, header: bytes, parts: list[bytes], kind: str
) -> None:
    answer = await sdk.post(header + b"\n" + b"".join(parts), kind)
    assert answer.status_code in EXPECTED
    if answer.status_code != 200:
        assert answer.headers["x-sentry-error"] == answer.json()["detail"]


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60))
async def test_no_credentials_cause_a_failure(sdk: Sdk, value: str) -> None:
    text = value.encode("latin-1")
    for name in (b"x-sentry-auth", b"authorization", b"content-encoding"):
        headers = [(name, b"Sentry sentry_key=" + text), (b"content-type", text.strip() or b"x")]
        answer = await sdk.client.post(sdk.path(), content=b"{}\n", headers=headers)
        assert answer.status_code in EXPECTED


async def test_any_order_and_repetition_gives_the_same_errors(client: AppClient) -> None:
    """Also of events without a time or an id, and of senders with wrong clocks."""
    now = datetime.now(UTC)
    wrong = (now + timedelta(days=30)).isoformat()
    sent = [
        envelope(item(event("order 1 failed"))),
        envelope(item(event("order 22 failed"))),
        envelope(item(event("late", timestamp=...)), sent_at=wrong),
        envelope(item(event("drifting", timestamp=wrong)), sent_at=wrong),
        envelope(item(event("future", timestamp=wrong))),
        envelope(item(event("no id", event_id=...))),
        envelope(item(event("envelope's id", event_id=...)), event_id=uuid4().hex),
    ]
    found = []
    for seed in range(4):
        sdk = await new_sdk(client)
        order = random.Random(seed).choices(sent, k=14)
        for body in (*order, *sent):
            assert (await sdk.post(body)).status_code == 200
        rows = await sdk.stored()
        counts = await sdk.fetch("select occurrences from errors where project_id = $1")
        dropped = await sdk.dropped()
        assert dropped == {("error", "duplicate"): 21 - len(sent)}
        ids = {row["event_id"] for row in rows}
        found.append((len(rows), len(ids), sorted(row["occurrences"] for row in counts)))
    assert found == [(7, 7, found[0][2])] * 4
    assert sum(found[0][2]) == 7
