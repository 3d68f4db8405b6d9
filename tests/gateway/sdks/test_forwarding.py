"""Forwarding: stored errors reach another server without secrets, and never delay intake."""

import asyncio
import gzip
import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import certifi
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from access.destinations import Destinations
from access.drops import Drops
from access.dsn import Dsn
from access.outgoing import Outgoing
from gateway.sdks import forwarding
from gateway.sdks.forwarding import Forwarder, Sender
from ingest.formats.sentry.envelope import read_envelope
from ingest.formats.sentry.items import SdkEvent, read_items
from storage.admin.project_keys import ProjectKey
from tests.gateway.application import eventually
from tests.gateway.rest.sdks import envelope, event, gateway, item, new_sdk

pytestmark = pytest.mark.alone

KEY = "c" * 32


@dataclass
class Upstream:
    """A server that takes envelopes, and answers as it is told."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)  # the last one is repeated
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hangs: bool = False

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.port}/prefix/77"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((first, headers, gzip.decompress(body)))
        if self.hangs:
            await asyncio.sleep(60)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(answer)
        await writer.drain()
        writer.close()

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(read_envelope(body).items[0].payload) for _, _, body in self.requests]


def answer(status: str, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", "content-length: 0", "connection: close", *headers, "", "")
    return "\r\n".join(lines).encode()


OK = answer("200 OK")


@asynccontextmanager
async def upstream(
    *answers: bytes, hangs: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Upstream]:
    found = Upstream(answers=list(answers) or [OK], hangs=hangs)
    server = await asyncio.start_server(found.take, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


class Lost(Drops):
    """Counts what was lost, and writes nothing."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

        def on_dropped(_category: str, reason: str, events: int) -> None:
            self.reasons[reason] += events

        nothing: Any = None
        super().__init__(nothing, lambda: datetime.now(UTC), on_dropped)


async def unchanged(_key: ProjectKey, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


def forwarder(
    server: Upstream, lost: Drops, retry_seconds: tuple[float, ...] = (0.0, 0.0)
) -> Forwarder:
    destinations = Destinations.of(f"127.0.0.1:{server.port}")
    return Forwarder(
        Sender(Outgoing(destinations)), lost, lambda: datetime.now(UTC), unchanged, retry_seconds
    )


def key(**settings: Any) -> ProjectKey:
    given: dict[str, Any] = {"project_id": 1, "project": "shop", **settings}
    return ProjectKey(
        public_key=uuid4().hex,
        name="tests",
        events_per_minute=100,
        created_by="tests",
        created_at=datetime.now(UTC),
        **given,
    )


def made(sender: ProjectKey, text: str = "no") -> SdkEvent:
    (found,) = read_items(read_envelope(envelope(item(event(text)))), sender, datetime.now(UTC))
    assert isinstance(found, SdkEvent)
    return found


async def test_a_stored_error_is_sent_on_once_and_without_secrets(
    database_url: str, redis_url: str
) -> None:
    async with upstream() as server:
        local = f"127.0.0.1:{server.port}"
        async with gateway(database_url, redis_url, forward_local_hosts=local) as client:
            sdk = await new_sdk(client, forward_to=server.dsn)
            sent = event("password=hunter2hunter2", user={"email": "ada@example.com"})
            for _ in range(2):
                await sdk.send(sent)

            async def is_there() -> bool:
                return bool(server.requests)

            await eventually(is_there)
        (payload,) = server.payloads()
    first, headers, body = server.requests[0]
    assert first == "POST /prefix/api/77/envelope/ HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert f"sentry_key={KEY}" in headers["x-sentry-auth"]
    assert payload["event_id"] == sent["event_id"]
    assert payload["exception"]["values"][0]["type"] == "ValueError"
    assert b"hunter2hunter2" not in body
    assert b"ada@example.com" not in body


async def test_a_server_that_fails_is_tried_three_times_and_then_left_alone() -> None:
    async with upstream(answer("502 Bad Gateway")) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            forwards.offer(sender, made(sender))
            await eventually(lambda: is_counted(lost, 1))
            forwards.offer(sender, made(sender))
            await eventually(lambda: is_counted(lost, 2))
        assert len(server.requests) == 3


async def test_a_server_that_recovers_gets_the_error() -> None:
    async with upstream(answer("503 Busy"), OK) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            forwards.offer(sender, made(sender))

            async def is_sent_twice() -> bool:
                return len(server.requests) == 2

            await eventually(is_sent_twice)
            await asyncio.sleep(0.1)
        assert lost.reasons == {}


@pytest.mark.parametrize(
    "status", ["429 Slow", "403 No", "302 Found\r\nlocation: http://127.0.0.1:1/"]
)
async def test_a_refusal_is_not_tried_again(status: str) -> None:
    async with upstream(answer(status, "retry-after: 60")) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            forwards.offer(sender, made(sender))
            await eventually(lambda: is_counted(lost, 1))
            forwards.offer(sender, made(sender))
            await eventually(lambda: is_counted(lost, 2))
        # One that asks to wait gets nothing meanwhile.
        assert len(server.requests) == (1 if status.startswith("429") else 2)


async def test_a_quota_of_one_key_stops_no_other() -> None:
    async with upstream(answer("429 Slow", "retry-after: 60"), OK) as server:
        lost, first = Lost(), key(forward_to=server.dsn)
        other = key(forward_to=server.dsn.replace(KEY, "d" * 32), project_id=2)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            forwards.offer(first, made(first))
            await eventually(lambda: is_counted(lost, 1))
            forwards.offer(other, made(other))
            await eventually(lambda: has_got(server, 2))
            forwards.offer(first, made(first))
            await eventually(lambda: is_counted(lost, 2))
        assert len(server.requests) == 2


async def test_a_wait_in_other_digits_is_half_a_minute() -> None:
    async with upstream(answer("429 Slow", "retry-after: \u00b2")) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            for events in (1, 2):
                forwards.offer(sender, made(sender))
                await eventually(partial(is_counted, lost, events))
        assert len(server.requests) == 1


async def test_an_error_that_waits_for_another_try_lets_others_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "SENT_AT_ONCE", 4)
    async with upstream(answer("503 Busy")) as busy, upstream() as server:
        destinations = Destinations.of(f"127.0.0.1:{busy.port}, 127.0.0.1:{server.port}")
        forwards = Forwarder(
            Sender(Outgoing(destinations)), Lost(), lambda: datetime.now(UTC), unchanged, (60.0,)
        )
        async with forwards.forwarding():
            for project_id in range(4):
                stuck = key(forward_to=busy.dsn, project_id=project_id)
                forwards.offer(stuck, made(stuck))
            await eventually(lambda: has_got(busy, 4))
            other = key(forward_to=server.dsn, project_id=5)
            forwards.offer(other, made(other))
            await eventually(lambda: has_got(server, 1))


async def test_errors_that_wait_for_another_try_take_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "MAX_WAITING_EVENTS", 8)
    async with upstream(answer("503 Busy")) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost, (60.0,))
        async with forwards.forwarding():
            for _ in range(2):
                forwards.offer(sender, made(sender))
            await eventually(lambda: has_got(server, 2))
            forwards.offer(sender, made(sender))
            assert lost.reasons["not_forwarded"] == 1


async def test_the_second_slow_failure_of_a_server_ends_the_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "SLOW_SECONDS", 0.0)
    async with upstream(answer("503 Busy")) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            for events in (1, 2):
                forwards.offer(sender, made(sender))
                await eventually(partial(is_counted, lost, events))
        assert len(server.requests) == 2


async def test_no_try_reads_the_certificates_of_authorities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with upstream() as server:
        sender = Sender(Outgoing(Destinations.of(f"127.0.0.1:{server.port}")))
        monkeypatch.setattr(certifi, "where", lambda: pytest.fail("they are read again"))
        assert (await sender.send(Dsn.parse(server.dsn), gzip.compress(b"{}"))).status == 200


async def test_private_destinations_get_nothing() -> None:
    async with upstream() as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = Forwarder(
            Sender(Outgoing(Destinations())), lost, lambda: datetime.now(UTC), unchanged, (0.0, 0.0)
        )
        async with forwards.forwarding():
            forwards.offer(sender, made(sender))
            await eventually(lambda: is_counted(lost, 1))
        assert server.requests == []


async def test_a_server_that_hangs_neither_delays_nor_fills_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "MAX_WAITING_BYTES", 100_000)
    async with upstream(hangs=True) as server:
        lost, sender = Lost(), key(forward_to=server.dsn)
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            began = time.monotonic()
            for _ in range(50):
                forwards.offer(sender, made(sender, "x" * 10_000))
            assert time.monotonic() - began < 2
            assert lost.reasons["not_forwarded"] >= 40
        # What still waited, and what was on its way, is counted too.
        assert lost.reasons["not_forwarded"] == 50


@pytest.mark.parametrize("limit", ["MAX_WAITING_EVENTS", "MAX_WAITING_BYTES"])
async def test_a_project_whose_server_hangs_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(forwarding, limit, {"MAX_WAITING_EVENTS": 8}.get(limit, 8_000))
    async with upstream(hangs=True) as stuck, upstream() as server:
        lost = Lost()
        flood, other = key(forward_to=stuck.dsn), key(forward_to=server.dsn, project_id=2)
        destinations = Destinations.of(f"127.0.0.1:{stuck.port}, 127.0.0.1:{server.port}")
        forwards = Forwarder(
            Sender(Outgoing(destinations)), lost, lambda: datetime.now(UTC), unchanged
        )

        async def are_sent() -> bool:
            return len(server.requests) == 2

        async with forwards.forwarding():
            for _ in range(40):
                forwards.offer(flood, made(flood))
                await asyncio.sleep(0)
            for _ in range(2):
                forwards.offer(other, made(other))
            await eventually(are_sent)
            assert lost.reasons["not_forwarded"] > 20


async def test_a_look_up_of_the_address_ends_in_time() -> None:

    async def hang(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    dsn = Dsn.parse(f"https://{KEY}@sentry.example.com/1")
    sender = Sender(Outgoing(Destinations(resolve=hang), timeout_seconds=0.05))
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await sender.send(dsn, b"")


async def test_keys_that_forward_nowhere_send_nothing() -> None:
    async with upstream() as server:
        lost = Lost()
        forwards = forwarder(server, lost)
        async with forwards.forwarding():
            forwards.offer(key(), made(key()))
            await asyncio.sleep(0.05)
        assert (server.requests, lost.reasons) == ([], {})


def certificate(name: str, folder: Path) -> Path:
    """A file with a new key and a certificate of this name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return file


@pytest.mark.parametrize("name", ["sentry.example.com", "evil.example.com"])
async def test_the_certificate_must_be_of_the_name_in_the_dsn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = certificate(name, tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)

    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with upstream(tls=tls) as server:
        dsn = Dsn.parse(f"https://{KEY}@sentry.example.com:{server.port}/1")
        destinations = Destinations(frozenset({dsn.host}), here)
        sending = Sender(Outgoing(destinations)).send(dsn, gzip.compress(b"{}"))
        if name == "sentry.example.com":
            assert (await sending).status == 200
            assert server.requests[0][1]["host"] == dsn.host
        else:
            with pytest.raises(httpx.ConnectError):
                await sending


async def is_counted(lost: Lost, events: int) -> bool:
    return lost.reasons["not_forwarded"] == events


async def has_got(server: Upstream, requests: int) -> bool:
    return len(server.requests) == requests


def test_dsns_are_read_and_written_alike() -> None:
    for text in ("https://abc@sentry.io/1", "http://abc@[::1]:9000/base/path/12"):
        assert str(Dsn.parse(text)) == text
    assert Dsn.parse("https://abc:secret@o1.ingest.sentry.io/7/").envelope_url == (
        "https://o1.ingest.sentry.io/api/7/envelope/"
    )
