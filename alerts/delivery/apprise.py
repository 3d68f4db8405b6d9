"""Further services through the library apprise: only ones at addresses of their own."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside
from alerts.messages import Action
from alerts.rules import Severity

# Services whose addresses the library itself knows, so that none can be led to a host of this
# network. Each plugin is loaded by itself: all of them take 20 MB and a second.
SERVICES: Mapping[str, tuple[str, str]] = {
    "discord": ("discord", "NotifyDiscord"),
    "gchat": ("google_chat", "NotifyGoogleChat"),
    "opsgenie": ("opsgenie", "NotifyOpsgenie"),
    "pbul": ("pushbullet", "NotifyPushBullet"),
    "pover": ("pushover", "NotifyPushover"),
    "tgram": ("telegram", "NotifyTelegram"),
    "twilio": ("twilio", "NotifyTwilio"),
    "wxteams": ("webexteams", "NotifyWebexTeams"),
}
TIMEOUT_SECONDS = 15.0
BODY_CHARACTERS = 1_500

# Apart from the threads that look up hosts: one that hangs keeps nobody else waiting.
_THREADS = ThreadPoolExecutor(4, "apprise")
_TYPES = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


def _service(address: str) -> Any:
    """The library's object for an address; raises ValueError."""
    scheme, separator, _rest = address.partition("://")
    if not separator or scheme not in SERVICES:
        raise ValueError(f"It must begin with one of {', '.join(f'{s}://' for s in SERVICES)}.")
    if "?" in address or not address.isprintable():
        raise ValueError("It must not have parameters behind a question mark.")
    module, name = SERVICES[scheme]
    plugin = getattr(import_module(f"apprise.plugins.{module}"), name)
    try:
        service = plugin(**(plugin.parse_url(address) or {}))
    except TypeError:
        raise ValueError("It cannot be read as an address of this service.") from None
    service.redirects = False
    return service


def _check_service(address: str) -> str:
    _service(address)
    return address


class AppriseService(ChannelKind):
    """A service of apprise, by its address in apprise's own spelling, which holds its secrets."""

    NAME: ClassVar[str] = "apprise"
    SECRETS: ClassVar[frozenset[str]] = frozenset({"service"})

    service: Annotated[str, Field(max_length=500, repr=False), AfterValidator(_check_service)]

    async def send(self, letter: Letter, outside: Outside) -> str:  # noqa: ARG002 - as all kinds
        """Sends in a thread, as the library waits; it does not say what the receiver answered."""
        message = letter.message
        kind = "success" if message.action is Action.RESOLVE else _TYPES[message.severity]
        title = without_mentions(message.title)
        body = f"{without_mentions(message.text)[:BODY_CHARACTERS]}\n{message.link}"

        def notify() -> bool:
            service = _service(self.service)
            return bool(service.notify(body=body, title=title, notify_type=kind))

        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                is_taken = await asyncio.get_running_loop().run_in_executor(_THREADS, notify)
        except TimeoutError as error:
            raise DeliveryError(f"No answer within {TIMEOUT_SECONDS:g} s") from error
        if not is_taken:
            raise DeliveryError("The service did not take it")
        return "The service took it"


def without_mentions(text: str) -> str:
    """Text in which no service sees that somebody is mentioned: who sends errors writes it too."""
    return text.replace("@", "@\N{ZERO WIDTH SPACE}")
