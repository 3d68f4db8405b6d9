"""PagerDuty, by its Events API v2: an episode is an incident, and its id the key of it."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerts.delivery.channel import ChannelKind, Letter, Outside, Url
from alerts.delivery.http import CLIENT, post
from alerts.messages import Action, Item

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_CHARACTERS = 1_024

_ACTIONS = {
    Action.FIRE: "trigger",
    Action.ACKNOWLEDGE: "acknowledge",
    Action.RESOLVE: "resolve",
}


class PagerDuty(ChannelKind):
    """A service of PagerDuty with an integration of Events API v2; `url` is for the EU region."""

    NAME: ClassVar[str] = "pagerduty"
    SECRETS: ClassVar[frozenset[str]] = frozenset({"routing_key"})
    GROUPS: ClassVar[bool] = False
    KEEPS_STATE: ClassVar[bool] = True

    routing_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{32}$", repr=False)]
    url: Url = EVENTS_URL

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends one event for each alert; again, it changes nothing, as the key is the same."""
        answers = [
            await post(self, outside, self.url, event(self.routing_key, item))
            for item in letter.message.items
        ]
        return answers[-1]


def event(routing_key: str, item: Item) -> dict[str, Any]:
    """The body of one event."""
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": _ACTIONS[item.action],
        "dedup_key": item.episode,
    }
    if body["event_action"] != "trigger":
        return body
    return {
        **body,
        "client": CLIENT,
        "client_url": item.link,
        "links": [{"href": item.link, "text": "Open"}],
        "payload": {
            "summary": item.title[:SUMMARY_CHARACTERS],
            "source": item.project or "platform",
            "severity": item.severity.value,
            "timestamp": item.at.isoformat(),
            "component": item.instance or item.rule,
            "class": item.rule,
            "custom_details": {
                "text": item.text,
                "since": item.since.isoformat(),
                "measure": item.measure,
                "value": item.value,
                "bound": item.bound,
                "deployment": item.deployment_id,
                "labels": dict(item.labels),
            },
        },
    }
