"""Mails at a real server: encrypted, to owners and given addresses, with text, HTML and a chart."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from PIL import Image

from access.outgoing import Outgoing
from alerts.delivery import KINDS
from alerts.delivery.channel import DeliveryError, MailServer, Outside
from alerts.delivery.email import chart_of, mail
from alerts.evidence import Measured
from alerts.states import Transition
from tests.alerts.delivery.letters import EPISODE, SEND_ID, item, letter
from tests.alerts.delivery.stage import NOW, Stage, evidence, rule
from tests.gateway.sdks.test_forwarding import certificate

PASSWORD = "swordfish-and-chips"
POINTS = tuple((NOW + timedelta(minutes=n), 0.05 + 0.01 * (n % 7)) for n in range(60))


@dataclass
class Mailbox:
    """Keeps what arrives; refuses some addresses, or everything."""

    refused: tuple[str, ...] = ()
    answer: str = "250 kept"
    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - the name is aiosmtpd's
        self.envelopes.append(envelope)
        return self.answer

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(each.content or b"", policy=default) for each in self.envelopes]  # type: ignore[arg-type]


def authenticate(_server: Any, _session: Any, _envelope: Any, _method: str, data: Any) -> Any:
    return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@asynccontextmanager
async def mail_server(
    folder: Path, box: Mailbox, *, security: str = "starttls", password: str = PASSWORD
) -> AsyncIterator[Outside]:
    """A server on this machine that demands encryption and a password, and the way to it."""
    file = certificate("localhost", folder)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(file)
    trusted = ssl.create_default_context(cafile=str(file))
    loop, starttls = asyncio.get_running_loop(), security == "starttls"

    def protocol() -> SMTP:
        return SMTP(
            box,
            hostname="localhost",
            tls_context=served if starttls else None,
            require_starttls=starttls,
            auth_required=starttls,
            auth_require_tls=starttls,
            authenticator=authenticate,
            loop=loop,
        )

    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=None if starttls else served)
    port = listening.sockets[0].getsockname()[1]
    server = MailServer("localhost", port, security, "alerts@example.com", "me", password)
    try:
        yield Outside(Outgoing(tls=trusted), server)
    finally:
        listening.close()


def channel(**settings: Any) -> Any:
    return KINDS["email"].of(settings, {})


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_has_text_html_and_a_chart(tmp_path: Path, security: str) -> None:
    box = Mailbox()
    async with mail_server(tmp_path, box, security=security) as outside:
        to = channel(to=["ops@example.com"], owners=True)
        sent = letter(item(points=POINTS), owners=("owner@example.com", "ops@example.com"))
        assert "kept" in await to.send(sent, outside)
    (envelope,), (found,) = box.envelopes, box.mails()
    assert envelope.rcpt_tos == ["ops@example.com", "owner@example.com"]
    assert envelope.mail_from == "alerts@example.com"
    assert found["To"] == "undisclosed-recipients:;"
    assert found["Subject"] == "[CRITICAL] Firing: Failure rate (shop · network=metis)"
    assert found["Message-ID"] == f"<{SEND_ID}@example.com>"
    assert found["References"] == f"<{EPISODE}@example.com>"
    text, html = (found.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for body in (text.get_content(), html.get_content()):
        assert "12.5 %, above 10 %" in body
        assert "Since: 2026-03-01 12:00:00 UTC" in body
        assert "Likely deployment: 0190b6d1-0000-7000-8000-00000000000d" in body
        assert "https://gw.example.com/alerts/" in body
    assert 'src="cid:chart"' in html.get_content()
    pictures = [part for part in found.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<chart>"]
    with Image.open(BytesIO(pictures[0].get_content())) as picture:
        assert picture.size == (1_200, 400), "twice as fine as it is shown"
        assert len(picture.getcolors(100_000) or ()) > 2


async def test_a_server_without_a_right_certificate_gets_nothing(tmp_path: Path) -> None:
    box = Mailbox()
    async with mail_server(tmp_path, box) as outside:
        distrusting = Outside(Outgoing(), outside.mail)
        with pytest.raises(DeliveryError) as refused:
            await channel(to=["ops@example.com"]).send(letter(), distrusting)
    assert not refused.value.is_final
    assert box.envelopes == []


async def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    async with mail_server(tmp_path, Mailbox(), password="wrong-password") as outside:
        with pytest.raises(DeliveryError, match="SMTPAuthenticationError 535") as refused:
            await channel(to=["ops@example.com"]).send(letter(), outside)
    assert "wrong-password" not in refused.value.detail
    assert not refused.value.is_final
    assert PASSWORD not in repr(outside)


async def test_refused_addresses_are_counted_and_not_named(tmp_path: Path) -> None:
    box = Mailbox(refused=("gone@example.com",))
    async with mail_server(tmp_path, box) as outside:
        both = channel(to=["gone@example.com", "ops@example.com"])
        detail = await both.send(letter(), outside)
        assert detail.endswith("1 of 2 addresses were refused")
        with pytest.raises(DeliveryError, match=r"All addresses were refused \(550\)") as refused:
            await channel(to=["gone@example.com"]).send(letter(), outside)
    assert refused.value.is_final
    assert "gone@" not in refused.value.detail


async def test_without_a_server_or_a_receiver_nothing_is_tried() -> None:
    with pytest.raises(DeliveryError, match="SMTP_URL") as without:
        await channel(to=["ops@example.com"]).send(letter(), Outside())
    assert without.value.is_final
    outside = Outside(mail=MailServer("localhost", 1, "none", "alerts@example.com"))
    with pytest.raises(DeliveryError, match="no owner"):
        await channel(owners=True).send(letter(), outside)
    with pytest.raises(DeliveryError, match=r"cannot be reached|refused") as away:
        await channel(to=["ops@example.com"]).send(letter(), outside)
    assert not away.value.is_final


def test_what_others_write_adds_no_header_and_no_mark_up() -> None:
    hostile = "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>"
    named = rule(hostile, title="{{ rule }}", text="{{ rule }} <b>{{ instance }}</b>")
    found = mail(letter(item(rule=named, instance=hostile)), "alerts@example.com")
    read = message_from_bytes(found.as_bytes(), policy=default)
    assert read["Bcc"] is None
    assert "Bcc: victim@example.com" in read["Subject"]
    html = read.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


def test_the_chart_shows_the_level_before_and_now() -> None:
    day = timedelta(days=1)
    before = Measured(NOW - 2 * day, NOW - day, 0.02, {})
    given = item(evidence=evidence(baseline=before))
    values = [value for _at, value in given.points]
    assert values == [0.02, 0.02, None, 0.125, 0.125]
    picture = chart_of(letter(given).message)
    assert picture is not None
    assert picture[1] == (
        "deployments.failure_rate: From 2026-02-27 12:00 to 2026-03-01 12:00 UTC, lowest 2 %,"
        " highest 12.5 %, last 12.5 %, bound 10 %, fired at 2026-03-01 12:00"
    )
    assert chart_of(letter(item(evidence=evidence(None))).message) is None


def test_many_alerts_are_counted_in_the_end() -> None:
    items = [item(instance=f"n{number}") for number in range(30)]
    found = mail(letter(*items), "alerts@example.com")
    assert found["Subject"] == "[CRITICAL] 30 alerts: Firing: Failure rate (shop · n0)"
    body = found.get_body(("plain",))
    assert body is not None
    assert "… and 10 more." in body.get_content()


async def test_owners_are_those_of_the_project_when_it_is_sent(told: Stage, tmp_path: Path) -> None:
    box = Mailbox()
    async with mail_server(tmp_path, box) as outside:
        project_id, other = await told.project("shop"), await told.project("other")
        members = (
            (project_id, "ann", "ann@example.com", "owner"),
            (project_id, "bob", "bob@example.com", "member"),
            (project_id, "cy", None, "owner"),
            (other, "dan", "dan@example.com", "owner"),
        )
        for member in members:
            await told.execute(
                "insert into project_members values ($1, $2, $3, $4, 'admin', '', $5)",
                *(*member, NOW),
            )
        await told.channel("hook", "email", {"owners": True}, project_id=project_id)
        rule_id = await told.rule(rule(), project_id)
        episode = await told.happen(rule_id, project_id=project_id)
        sending = told.sending(outside)
        await told.settle(sending)
        over = Transition.RESOLVED
        await told.happen(rule_id, over, episode=episode, project_id=project_id)
        await told.pass_time(sending, timedelta(seconds=5))
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["ann@example.com"]] * 2
    assert [row["status"] for row in await told.sends()] == ["sent", "sent"]
