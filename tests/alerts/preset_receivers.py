"""A channel of each kind for the story of the presets, at real servers on this machine."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.discord import NotifyDiscord

from access.destinations import Destinations
from access.outgoing import Outgoing
from alerts.delivery.channel import Outside
from storage.connections.database import Database
from tests.alerts.delivery.receivers import Received, Receiver, receiver
from tests.alerts.delivery.stage import SECRET, Stage
from tests.alerts.delivery.test_mail import Mailbox, mail_server

_TITLE = re.compile(r"(?:\[[A-Z]+\] )?(Firing|Still firing|Resolved): (\w+)")
_STATES = {"Firing": "firing", "Still firing": "firing", "Resolved": "resolved"}
_STATES |= {"trigger": "firing", "resolve": "resolved"}


@dataclass(frozen=True)
class Told:
    """What a receiver was told of a rule, by the format of its kind."""

    kind: str
    rule: str
    state: str
    text: str
    value: float | None = None  # of the kinds that have the very number
    minute: int = -1


@dataclass
class Receivers:
    """All servers; what arrives is noted with the minute in which it did."""

    http: Receiver
    mails: Mailbox
    outside: Outside
    told: list[Told] = field(default_factory=list)
    _incidents: dict[str, str] = field(default_factory=dict)  # rules by PagerDuty's keys

    async def make_channels(self, database: Database) -> None:
        """Makes a channel of the platform of each kind, called like it."""
        stage = Stage(database)
        url, key = self.http.url, {"routing_key": "R" * 32}
        await stage.channel("webhook", "webhook", {"url": f"{url}/webhook"}, {"secret": SECRET})
        await stage.channel("email", "email", {"to": ["ops@example.com"]})
        await stage.channel("slack", "slack", {}, {"url": f"{url}/slack"})
        await stage.channel("pagerduty", "pagerduty", {"url": f"{url}/pagerduty"}, key)
        await stage.channel("alertmanager", "alertmanager", {"url": f"{url}/alertmanager"})
        service = {"service": "discord://1234567890/abcdefghijklmnop"}
        await stage.channel("apprise", "apprise", {}, service)

    def collect(self, minute: int, now: datetime) -> None:
        """Reads what has arrived since the last time."""
        for request in self.http.requests:
            self.told += [replace(each, minute=minute) for each in self._read(request, now)]
        for mail in self.mails.mails():
            self.told.append(replace(_mail(mail), minute=minute))
        self.http.requests.clear()
        self.mails.envelopes.clear()

    def _read(self, request: Received, now: datetime) -> Iterator[Told]:
        kind, document = request.path.split("/")[2], request.document
        if kind == "webhook":
            _check_signature(request, now)
            for each in document["alerts"]:
                yield Told(kind, each["rule"], each["status"], each["text"], each["value"])
        elif kind == "slack":
            section = document["attachments"][0]["blocks"][1]
            yield _titled(kind, document["text"], section["text"]["text"])
        elif kind == "pagerduty":
            key, state = document["dedup_key"], _STATES[document["event_action"]]
            payload = document.get("payload", {"custom_details": {"text": "", "value": None}})
            rule = self._incidents.setdefault(key, payload.get("class", ""))
            yield Told(kind, rule, state, **_some(payload["custom_details"], "text", "value"))
        elif kind == "alertmanager":
            for each in document:
                is_over = datetime.fromisoformat(each["endsAt"]) <= now
                text = each["annotations"]["description"]
                rule = each["labels"]["alertname"]
                yield Told(kind, rule, "resolved" if is_over else "firing", text)
        else:
            title, _, text = document["content"].partition("\r\n")
            yield _titled("apprise", title, text)


def _some(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names}


def _titled(kind: str, title: str, text: str) -> Told:
    found = _TITLE.match(title)
    assert found is not None, title
    return Told(kind, found[2], _STATES[found[1]], text)


def _mail(mail: EmailMessage) -> Told:
    bodies = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return _titled("email", mail["Subject"], "\n".join(bodies))


def _check_signature(request: Received, now: datetime) -> None:
    sent_at, code = re.findall(r"=(\w+)", request.headers["x-gateway-signature"])
    signed = f"{sent_at}.".encode() + request.body
    assert int(sent_at) == int(now.timestamp())
    assert code == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


@asynccontextmanager
async def receivers(folder: Path) -> AsyncIterator[Receivers]:
    """Servers of each kind for the time of the block, and the way to them."""
    box = Mailbox()
    async with receiver() as http, mail_server(folder, box) as mail:
        local = Outgoing(Destinations.of(f"127.0.0.1:{http.port}"), tls=mail.outgoing.tls)
        outside = replace(mail, outgoing=local, base_url="https://gw.example.com")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(NotifyDiscord, "notify_url", f"{http.url}/apprise")
            yield Receivers(http, box, outside)
