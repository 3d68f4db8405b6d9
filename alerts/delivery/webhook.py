"""Webhooks: JSON that is signed, so that a receiver knows who sent it and when."""

import hashlib
import hmac
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Field

from alerts.delivery.channel import ChannelKind, Letter, Outside, Url
from alerts.delivery.http import post
from alerts.messages import Item

VERSION = 1
SIGNATURE = "X-Gateway-Signature"
SECRET_CHARACTERS = 16


class Webhook(ChannelKind):
    """An address that takes messages as JSON; the secret signs them."""

    NAME: ClassVar[str] = "webhook"
    SECRETS: ClassVar[frozenset[str]] = frozenset({"secret"})

    url: Url
    secret: Annotated[str, Field(min_length=SECRET_CHARACTERS, max_length=200, repr=False)]

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends one request, with the id of the send as its idempotency key."""
        body = orjson.dumps(payload(letter), default=str)
        headers = {
            "idempotency-key": str(letter.send_id),
            SIGNATURE: signature(self.secret, int(letter.sent_at.timestamp()), body),
        }
        return await post(self, outside, self.url, body, headers)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The header that proves a body: its time, and an HMAC of both."""
    signed = b"%d." % timestamp + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def payload(letter: Letter) -> dict[str, Any]:
    """The body of a webhook."""
    message = letter.message
    return {
        "version": VERSION,
        "id": letter.send_id,
        "sentAt": letter.sent_at,
        "status": message.action,
        "severity": message.severity,
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "alerts": [_alert(item) for item in message.items],
    }


def _alert(item: Item) -> dict[str, Any]:
    return {
        "id": item.episode,
        "eventId": item.event_id,
        "ruleId": item.rule_id,
        "rule": item.rule,
        "project": item.project,
        "instance": item.instance,
        "transition": item.transition,
        "status": item.action,
        "severity": item.severity,
        "at": item.at,
        "since": item.since,
        "title": item.title,
        "text": item.text,
        "link": item.link,
        "labels": dict(item.labels),
        "measure": item.measure,
        "value": item.value,
        "bound": item.bound,
        "baseline": item.baseline,
        "deploymentId": item.deployment_id,
        "subject": item.subject,
        "by": item.by,
    }
