"""Prometheus Alertmanager, by its API v2: it groups, silences and sends by rules of its own."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerts.delivery.channel import ChannelKind, Letter, Outside, Url
from alerts.delivery.http import post
from alerts.messages import Action, Item

# An alert that is not told again for so long is over for Alertmanager.
LASTS = timedelta(hours=24)
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


class Alertmanager(ChannelKind):
    """An Alertmanager, as `https://alertmanager.example.com`; with a token where it needs one."""

    NAME: ClassVar[str] = "alertmanager"
    SECRETS: ClassVar[frozenset[str]] = frozenset({"token"})
    KEEPS_STATE: ClassVar[bool] = True

    url: Url
    token: Annotated[str | None, Field(repr=False, max_length=2_000, pattern=r"^[!-~]+$")] = None

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends all alerts in one request; sent again, it changes nothing."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.url.rstrip('/')}/api/v2/alerts"
        body = [alert(item, letter.sent_at) for item in letter.message.items]
        return await post(self, outside, url, body, headers)


def alert(item: Item, now: datetime) -> dict[str, Any]:
    """One alert. Its labels stay the same for the whole episode, as they are its identity."""
    given = {
        **item.labels,
        "alertname": item.rule,
        "severity": item.severity.value,
        "project": item.project or "",
        "instance": item.instance,
        "rule_id": str(item.rule_id),
    }
    labels = {label_name(name): value for name, value in given.items() if value}
    ends = item.at if item.action is Action.RESOLVE else now + LASTS
    return {
        "labels": labels,
        "annotations": {"summary": item.title, "description": item.text},
        "startsAt": item.since.isoformat(),
        "endsAt": max(ends, item.since).isoformat(),
        "generatorURL": item.link,
    }


def label_name(name: str) -> str:
    """The name with underscores for what Prometheus does not allow."""
    clean = _NOT_IN_NAMES.sub("_", name)
    return clean if clean[:1].isalpha() or clean.startswith("_") else f"_{clean}"
