"""What all kinds of channels have in common."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from access.destinations import is_public
from access.outgoing import Outgoing
from alerts.messages import Message

log = structlog.get_logger(component="alerts")

URL_CHARACTERS = 2_000
DETAIL_CHARACTERS = 300
_SHORTEST_SECRET = 4  # what is shorter is not searched for in texts


class DeliveryError(Exception):
    """A receiver did not take a message; the text holds no secret.

    After an `is_final` one, another try would change nothing.
    """

    def __init__(
        self, detail: str, *, is_final: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_final = is_final
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes mails; `security` is starttls, tls or none.

    The mails of a project go to at most so many addresses within an hour.
    """

    host: str
    port: int
    security: str
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    addresses_per_hour: int = 500


@dataclass(frozen=True, slots=True)
class Outside:
    """How messages leave: by requests, and by mail where there is a server for it.

    `base_url` is where people reach the gateway, for the links in messages.
    """

    outgoing: Outgoing = field(default_factory=Outgoing)
    mail: MailServer | None = None
    base_url: str = ""

    def for_owner(self, project_id: int | None) -> "Outside":
        """The way out for a channel of a project, or of the platform.

        Receivers of this network are the platform's: those of projects are at public addresses.
        """
        if project_id is None:
            return self
        destinations = replace(self.outgoing.destinations, local=frozenset())
        return replace(self, outgoing=replace(self.outgoing, destinations=destinations))


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way. Its id is the same in each try; `owners` are addresses for mails."""

    send_id: UUID
    message: Message
    sent_at: datetime
    owners: tuple[str, ...] = ()


class ChannelKind(BaseModel):
    """A channel of one kind. Its fields are what people set; those in `SECRETS` are never shown.

    A kind with `GROUPS` takes several alerts in one message. One with `KEEPS_STATE` has incidents
    of its own: it is told of episodes alone, and again while one lasts, acknowledged or not. One
    that `SHOWS_CURVE` draws the measure over its recent past.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    NAME: ClassVar[str]
    SECRETS: ClassVar[frozenset[str]] = frozenset()
    GROUPS: ClassVar[bool] = True
    KEEPS_STATE: ClassVar[bool] = False
    SENDS: ClassVar[bool] = True
    SHOWS_CURVE: ClassVar[bool] = False

    @classmethod
    def of(cls, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Self:
        """Raises pydantic's ValidationError."""
        return cls.model_validate({**settings, **secrets})

    @classmethod
    def problems(
        cls,
        settings: Mapping[str, Any],
        secrets: Mapping[str, Any],
        local: Collection[str] = (),
    ) -> list[tuple[str, str]]:
        """What is wrong, as fields with sentences that show no value.

        `local` are hosts with ports that need not be public, as `Destinations.local` has them.
        """
        misplaced = [
            (name, "This is a secret: give it as one.") for name in settings if name in cls.SECRETS
        ] + [
            (name, "This is no secret: give it as a setting.")
            for name in secrets
            if name not in cls.SECRETS
        ]
        if misplaced:
            return misplaced
        try:
            channel = cls.of(settings, secrets)
        except ValidationError as error:
            return [_problem(cls, fault) for fault in error.errors(include_url=False)]
        return [
            (name, problem)
            for name, value in channel
            if name == "url" and (problem := channel.url_problem(str(value), local))
        ]

    def url_problem(self, url: str, local: Collection[str]) -> str | None:
        """Why nothing may be sent to an address, as far as its text tells."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if f"{host}:{parts.port or 443}" in local:
            return None
        if parts.scheme != "https":
            return "It must begin with https://."
        try:
            ip_address(host)
        except ValueError:
            return None
        return None if is_public(host) else "It is not a public address."

    def secret_values(self) -> tuple[str, ...]:
        """The secrets, to remove them from texts."""
        given = (getattr(self, name) for name in self.SECRETS)
        return tuple(value for value in given if value and len(value) >= _SHORTEST_SECRET)

    def masked(self, text: str) -> str:
        """A text of a receiver on one line, cut, and without this channel's secrets."""
        for value in sorted(self.secret_values(), key=len, reverse=True):
            text = text.replace(value, "***")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line[:DETAIL_CHARACTERS]

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends a message; returns what the receiver answered. Raises DeliveryError."""
        raise NotImplementedError


async def delivered(channel: ChannelKind, letter: Letter, outside: Outside) -> str:
    """What the receiver answered; raises DeliveryError alone, whatever went wrong."""
    try:
        return await channel.send(letter, outside)
    except DeliveryError:
        raise
    except Exception as error:  # its text may hold a secret
        log.error("channel_crashed", kind=channel.NAME, reason=type(error).__name__)
        detail = f"The message could not be sent ({type(error).__name__})."
        raise DeliveryError(detail) from error


def _problem(kind: type[ChannelKind], fault: Any) -> tuple[str, str]:
    name = str(fault["loc"][0]) if fault["loc"] else next(iter(kind.model_fields))
    if fault["type"] == "missing":
        return name, f"It is needed for {kind.NAME}."
    if fault["type"] == "extra_forbidden":
        names = ", ".join(kind.model_fields) or "no fields"
        return name, f"{kind.NAME} has no such field; it has {names}."
    if fault["type"] == "string_too_short":
        return name, f"It needs at least {fault['ctx']['min_length']} characters."
    if fault["type"] == "string_pattern_mismatch":
        return name, f"It is not written as {kind.NAME} writes it."
    text = str(fault["msg"]).removeprefix("Value error, ")
    return name, text if text.endswith(".") else f"{text}."


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    _port = parts.port  # raises ValueError for a wrong one
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("It must be written like https://hooks.example.com/path.")
    if len(value) > URL_CHARACTERS or not value.isprintable() or set(value) & set(" \\"):
        raise ValueError("It is no address.")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ValueError("There can be no host of this name.") from None
    if parts.username is not None or parts.fragment:
        raise ValueError("It must not hold a user, a password or a fragment.")
    return value


Url = Annotated[str, AfterValidator(_check_url)]
