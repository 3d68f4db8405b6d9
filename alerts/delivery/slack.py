"""Slack, by an incoming webhook: a message of blocks."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerts.delivery.channel import ChannelKind, Letter, Outside, Url
from alerts.delivery.http import post
from alerts.messages import Action, Message
from alerts.rules import Severity

# Slack refuses longer texts, and more blocks.
HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3_000
FALLBACK_CHARACTERS = 3_000

_COLOURS = {Severity.CRITICAL: "#c62828", Severity.WARNING: "#ef6c00", Severity.INFO: "#1565c0"}
_RESOLVED_COLOUR = "#2e7d32"


class Slack(ChannelKind):
    """A channel of Slack; the address of its incoming webhook is a secret."""

    NAME: ClassVar[str] = "slack"
    SECRETS: ClassVar[frozenset[str]] = frozenset({"url"})

    url: Annotated[Url, Field(repr=False)]

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends one request. Slack knows no idempotency key, so a retry can show a text twice."""
        return await post(self, outside, self.url, payload(letter.message))


def payload(message: Message) -> dict[str, Any]:
    """The body of an incoming webhook: the blocks, and a text for notifications."""
    is_over = message.action is Action.RESOLVE
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(message.title, HEADER_CHARACTERS)},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": _cut(escaped(message.text), SECTION_CHARACTERS)},
        },
    ]
    if message.link:
        blocks.append(
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "text": _plain("Open", 75), "url": message.link},
                ],
            }
        )
    colour = _RESOLVED_COLOUR if is_over else _COLOURS[message.severity]
    return {
        "text": _cut(escaped(message.title), FALLBACK_CHARACTERS),
        "attachments": [{"color": colour, "blocks": blocks}],
    }


def escaped(text: str) -> str:
    """Text in which Slack sees no mention, link or mark-up of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str, characters: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _cut(text, characters), "emoji": False}


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
