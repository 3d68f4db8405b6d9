"""The inbox of a demo catches mails and webhooks, shows them, and answers this machine alone."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from access.destinations import Destinations
from access.outgoing import Outgoing
from access.sealing import Seals
from alerts.delivery import KINDS
from alerts.delivery.channel import MailServer, Outside
from gateway.app import create_app
from gateway.cli.demo_alerts import keep_channels
from gateway.config.settings import Settings
from gateway.opening.database import utc_now
from gateway.pages.inbox import Inbox
from gateway.processes.runner import environment_of, with_inbox
from storage.connections.database import Database
from tests.alerts.delivery.letters import item, letter
from tests.alerts.delivery.test_mail import POINTS
from tests.gateway.graphql.edge import small_gateway

SECRET = "correct horse battery"
HOSTILE = "<script>alert(1)</script>"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(inbox: Inbox | None, address: str = "127.0.0.1") -> httpx.AsyncClient:
    app = create_app(replace(small_gateway(), inbox=inbox))
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def test_mails_are_caught_and_shown() -> None:
    inbox = Inbox(utc_now, free_port())
    async with inbox.catching_mails(), client(inbox) as browser:
        mail = MailServer("127.0.0.1", inbox.mail_port, "none", "alerts@demo.example")
        sent = letter(item(points=POINTS, title=HOSTILE, text=f".\n..{HOSTILE}\nlast"))
        email = KINDS["email"].of({"to": ["ann@demo.example"]}, {})
        await email.send(sent, Outside(mail=mail))
        page = await browser.get("/demo/inbox")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Mail at" in page.text
    assert "ann@demo.example" in page.text
    assert HOSTILE not in page.text
    assert "[CRITICAL] &lt;script&gt;" in page.text
    assert ".\n..&lt;script&gt;" in page.text.replace("\r\n", "\n")
    assert 'src="data:image/png;base64,iVBOR' in page.text


async def test_webhooks_are_caught_and_shown() -> None:
    inbox = Inbox(utc_now)
    async with client(inbox) as browser:
        assert "Nothing yet." in (await browser.get("/demo/inbox")).text
        document = {"title": HOSTILE, "text": "12.5 %, above 10 %"}
        headers = {"x-gateway-signature": "t=1,v1=ab"}
        assert (await browser.post("/demo/inbox", json=document, headers=headers)).text == "caught"
        assert (await browser.post("/demo/inbox", content=b"\xff[1")).status_code == 200
        for body in (b"[]", b"null", b'{"title":1}', b"[" * 100_000):
            assert (await browser.post("/demo/inbox", content=body)).status_code == 200
        page = await browser.get("/demo/inbox")
    assert "12.5 %, above 10 %" in page.text
    assert "signature t=1,v1=ab" in page.text
    assert HOSTILE not in page.text
    assert page.text.count("<article>") == 6


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_machines_and_other_gateways_see_nothing(method: str) -> None:
    async with client(Inbox(utc_now), "192.0.2.1") as elsewhere:
        assert (await elsewhere.request(method, "/demo/inbox")).status_code == 404
    async with client(Inbox(utc_now)) as behind_a_proxy:
        headers = {"x-forwarded-for": "127.0.0.1"}
        found = await behind_a_proxy.request(method, "/demo/inbox", headers=headers)
        assert found.status_code == 404
    async with client(None) as production:
        assert (await production.request(method, "/demo/inbox")).status_code == 404


async def test_a_client_that_is_no_mail_server_does_no_harm() -> None:
    inbox = Inbox(utc_now, free_port())
    async with inbox.catching_mails():
        reader, writer = await asyncio.open_connection("127.0.0.1", inbox.mail_port)
        assert await reader.readline() == b"220 demo\r\n"
        writer.write(b"X" * 2_000_001)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    assert not inbox.caught


async def test_a_demo_whose_port_another_process_has_goes_on_without_mails() -> None:
    first = Inbox(utc_now, free_port())
    second = Inbox(utc_now, first.mail_port)
    async with first.catching_mails():
        with capture_logs() as logs:
            async with second.catching_mails():
                second.take_webhook({}, b"{}")
        assert [line["event"] for line in logs] == ["mails_not_caught"]
        # It has not taken the port away.
        reader, writer = await asyncio.open_connection("127.0.0.1", first.mail_port)
        assert await reader.readline() == b"220 demo\r\n"
        writer.close()
    assert len(second.caught) == 1


def test_a_demo_leads_its_messages_to_its_inbox() -> None:
    demo = with_inbox(Settings(environment="demo", port=8123))
    assert demo.smtp_url == f"smtp+plain://127.0.0.1:{demo.demo_mail_port}"
    assert demo.alert_local_hosts == "127.0.0.1:8123"
    passed = environment_of(demo)
    assert passed["DEMO_MAIL_PORT"] == str(demo.demo_mail_port) != "0"
    for kept in (
        Settings(environment="production"),
        Settings(environment="demo", smtp_url="smtp://mail.example.com", mail_from="a@b.example"),
    ):
        assert with_inbox(kept) == kept


async def test_a_demo_has_channels_that_reach_its_inbox(own_database_url: str) -> None:
    usual = Settings(environment="demo", jwt_secret="of-a-demo", database_url=own_database_url)
    for port in (8123, 8124, 8124):
        await keep_channels(with_inbox(usual.model_copy(update={"port": port})))
    await keep_channels(Settings(environment="production", database_url=own_database_url))
    database = await Database.open(own_database_url)
    async with database.connection() as connection:
        rows = await connection.fetch("select * from alert_channels order by name")
    await database.close()
    assert [(row["name"], row["kind"], row["project_id"]) for row in rows] == [
        ("inbox", "webhook", None),
        ("mail", "email", None),
    ]
    assert rows[0]["settings"] == {"url": "http://127.0.0.1:8124/demo/inbox"}
    local = Destinations.of("127.0.0.1:8124").local
    for row in rows:
        secrets = Seals(["of-a-demo"]).open(row["secrets"])
        assert KINDS[row["kind"]].problems(row["settings"], secrets, local) == []
    assert Outgoing().destinations.local == frozenset()
