"""Mails: text and HTML, with a chart of what went wrong."""

import asyncio
from collections.abc import Collection
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from typing import Annotated, Any, ClassVar, Self

import aiosmtplib
from jinja2 import Environment
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, MailServer, Outside
from alerts.messages import Action, Message, pictured
from alerts.numbers import number_text
from storage.names import is_email

ADDRESSES_AT_MOST = 50
TIMEOUT_SECONDS = 15.0
_CHART = "chart"

_HTML = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en"><body style="font-family: sans-serif; color: #212121; max-width: 640px">
<h2>{{ message.title }}</h2>
{% for item in items %}
{% if items|length > 1 %}<h3>{{ item.title }}</h3>{% endif %}
<p style="white-space: pre-line">{{ item.text }}</p>
{% endfor %}
{% if more %}<p>… and {{ more }} more.</p>{% endif %}
{% if alt %}<p><img src="cid:{{ chart }}" alt="{{ alt }}" width="600" height="200"></p>{% endif %}
<p><a href="{{ message.link }}">Open the alert</a></p>
</body></html>
"""
)
_ITEMS = 20


def _parts(value: object) -> object:
    """A list of addresses, also out of a text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check_address(value: str) -> str:
    if not is_email(value):
        raise ValueError("It holds something that is no e-mail address.")
    return value


EmailAddress = Annotated[str, AfterValidator(_check_address)]


class Email(ChannelKind):
    """Mails to given addresses, and with `owners` to the owners of the project."""

    NAME: ClassVar[str] = "email"
    SHOWS_CURVE: ClassVar[bool] = True

    to: Annotated[
        tuple[EmailAddress, ...], BeforeValidator(_parts), Field(max_length=ADDRESSES_AT_MOST)
    ] = ()
    owners: bool = False

    @model_validator(mode="after")
    def _check_receivers(self) -> Self:
        if not self.to and not self.owners:
            raise ValueError("Name addresses in `to`, or set `owners`.")
        return self

    async def send(self, letter: Letter, outside: Outside) -> str:
        """Sends one mail to all; they do not see each other's addresses."""
        server = outside.mail
        if server is None:
            raise DeliveryError("No mail server is set up: set SMTP_URL", is_final=True)
        receivers = list(dict.fromkeys((*self.to, *(letter.owners if self.owners else ()))))
        if not receivers:
            detail = "Nobody to send to: the project has no owner with an e-mail address"
            raise DeliveryError(detail, is_final=True)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):  # of all that is said, not of each step
                refused, answer = await _deliver(letter, server, receivers, outside)
        except aiosmtplib.SMTPException as error:
            raise _error(error) from error
        except (OSError, TimeoutError) as error:
            raise DeliveryError(
                f"The mail server cannot be reached: {type(error).__name__}"
            ) from error
        if refused:
            return f"{answer}; {len(refused)} of {len(receivers)} addresses were refused"
        return answer


async def _deliver(
    letter: Letter, server: MailServer, receivers: Collection[str], outside: Outside
) -> tuple[dict[str, Any], str]:
    return await aiosmtplib.send(
        mail(letter, server.sender),
        sender=server.sender,
        recipients=list(receivers),
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=None if server.security == "none" else outside.outgoing.tls,
        timeout=TIMEOUT_SECONDS,
    )


def mail(letter: Letter, sender: str) -> EmailMessage:
    """The mail itself; its id is that of the send, so that a copy is recognised."""
    message = letter.message
    domain = sender.rpartition("@")[2]
    found = EmailMessage(policy=SMTP)
    found["Subject"] = f"[{message.severity.value.upper()}] {message.title}"
    found["From"] = Address("Alerts", addr_spec=sender)
    found["To"] = "undisclosed-recipients:;"
    found["Date"] = format_datetime(letter.sent_at)
    found["Message-ID"] = f"<{letter.send_id}@{domain}>"
    found["References"] = f"<{message.items[0].episode}@{domain}>"  # one thread for each episode
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(f"{message.text}\n\n{message.link}\n")
    picture = chart_of(message)
    found.add_alternative(html(message, picture[1] if picture else None), subtype="html")
    if picture is not None:
        body = found.get_payload()[1]  # type: ignore[index]
        body.add_related(picture[0], "image", "png", cid=f"<{_CHART}>", disposition="inline")  # type: ignore[union-attr]
    return found


def html(message: Message, alt: str | None) -> str:
    """The message as a page, in which everything of others is escaped; `alt` says its picture."""
    items = message.items[:_ITEMS]
    more = len(message.items) - len(items)
    return _HTML.render(message=message, items=items, more=more, alt=alt, chart=_CHART)


def chart_of(message: Message) -> tuple[bytes, str] | None:
    """A picture of the first alert that has values over time, and what it shows in words."""
    number = pictured(message)
    if number is None:
        return None
    # Late, as only the worker ever draws: the library takes 9 MB.
    from alerts.chart import Chart, described, draw

    item = message.items[number]
    fired_at = item.since if item.action in (Action.FIRE, Action.RESOLVE) else None
    chart = Chart(item.points, item.bound, fired_at)
    text = partial(number_text, measure=item.measure)
    return draw(chart, text), f"{item.measure}: {described(chart, text)}"


def _error(error: aiosmtplib.SMTPException) -> DeliveryError:
    """What a mail server said, without addresses: they could be those of people."""
    code = getattr(error, "code", None)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
        is_final = all(500 <= code < 600 for code in codes)
        return DeliveryError(f"All addresses were refused ({min(codes)})", is_final=is_final)
    detail = f"The mail server refused: {type(error).__name__}" + (f" {code}" if code else "")
    is_final = isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
    return DeliveryError(detail, is_final=is_final)
