"""/demo/inbox: what the alerts of a demo send, caught on this machine and shown as a page."""

import asyncio
import json
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import structlog
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from gateway.http.addresses import LOOPBACK
from gateway.http.exchange import Exchange
from gateway.pages.demo_sign_in import FORWARDED

log = structlog.get_logger(component="inbox")

KEPT = 200
MAIL_BYTES = 1_000_000
SILENT_SECONDS = 30.0  # a client that says nothing for so long is left
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

_PAGE = Environment(autoescape=True, trim_blocks=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Inbox of the demo</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
article { border: 1px solid #8888; border-radius: 6px; padding: 0 1rem; margin: 1rem 0 }
h2 { font-size: 1.1rem; overflow-wrap: anywhere } img { max-width: 100%; height: auto }
p, pre { white-space: pre-wrap; overflow-wrap: anywhere } summary { cursor: pointer }
</style></head><body><main><h1>Inbox of the demo</h1>
<p>What the alerts of this demo have sent: mails and webhooks, the latest first.</p>
{% for each in caught %}
<article><h2>{{ each.title }}</h2>
<p>{{ each.kind }} at {{ each.at.strftime("%Y-%m-%d %H:%M:%S") }} UTC{{ each.about }}</p>
<p>{{ each.text }}</p>
{% if each.picture %}
<img alt="The measure over time and its bound" src="data:image/png;base64,{{ each.picture }}">
{% endif %}
{% if each.source %}
<details><summary>What was sent</summary><pre>{{ each.source }}</pre></details>
{% endif %}
</article>
{% else %}
<p>Nothing yet.</p>
{% endfor %}
</main></body></html>
"""
)


@dataclass(frozen=True, slots=True)
class Caught:
    """A message that was caught."""

    kind: str
    at: datetime
    title: str
    text: str
    about: str = ""
    source: str = ""
    picture: str = ""


@dataclass(slots=True)
class Inbox:
    """Keeps the last messages in memory. It answers this machine alone."""

    clock: Callable[[], datetime]
    mail_port: int = 0
    caught: deque[Caught] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def respond(self, request: Request) -> Response:
        """Shows the messages, or takes a webhook."""
        if not _is_local(request):
            return PlainTextResponse("Not Found", status_code=404)
        if request.method == "POST":
            self.take_webhook(dict(request.headers), await request.body())
            return PlainTextResponse("caught")
        page = _PAGE.render(caught=reversed(self.caught))
        headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
        return HTMLResponse(page, headers=headers)

    def take_webhook(self, headers: dict[str, str], body: bytes) -> None:
        """Keeps a webhook; what is no JSON of ours is shown as text."""
        try:
            document = json.loads(body)
            title, text = str(document["title"]), str(document["text"])
            source = json.dumps(document, indent=2, ensure_ascii=False)
        except (ValueError, KeyError, TypeError, RecursionError):
            title, text, source = "A request", body[:2_000].decode("utf-8", "replace"), ""
        signature = headers.get("x-gateway-signature", "none")
        about = f", signature {signature[:100]}"
        self.caught.append(Caught("Webhook", self.clock(), title, text, about, source))

    def take_mail(self, receivers: list[str], content: bytes) -> None:
        """Keeps a mail with its text and its picture."""
        mail = message_from_bytes(content, _class=EmailMessage, policy=default)
        body = mail.get_body(("plain",))
        pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        picture = b64encode(pictures[0].get_content()).decode() if pictures else ""
        self.caught.append(
            Caught(
                "Mail",
                self.clock(),
                str(mail["Subject"]),
                body.get_content() if body else "",
                f" to {', '.join(receivers)}",
                picture=picture,
            )
        )

    @asynccontextmanager
    async def catching_mails(self) -> AsyncIterator[None]:
        """Takes mails at a port of this machine inside the block.

        None where the port is 0, or where another process has it: a demo goes on without mails.
        """
        with ExitStack() as stack:
            if self.mail_port:
                try:
                    server = await asyncio.start_server(
                        self._converse, "127.0.0.1", self.mail_port, limit=MAIL_BYTES
                    )
                except OSError as error:
                    log.warning("mails_not_caught", reason=str(error))
                else:
                    stack.callback(server.close)
            yield

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of SMTP as it takes to be given mails."""
        receivers: list[str] = []
        writer.write(b"220 demo\r\n")
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                while line := await reader.readline():
                    verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                    if verb.upper() == "RCPT":
                        receivers.append(rest.partition("<")[2].partition(">")[0])
                    if verb.upper() == "DATA":
                        writer.write(b"354 go on\r\n")
                        content = await reader.readuntil(b"\r\n.\r\n")
                        lines = content[:-3].replace(b"\r\n..", b"\r\n.")
                        self.take_mail(receivers, lines)
                        receivers = []
                    writer.write(b"221 bye\r\n" if verb.upper() == "QUIT" else b"250 OK\r\n")
                    await writer.drain()
        except (TimeoutError, ValueError, OSError, EOFError, asyncio.LimitOverrunError):
            return  # the sender tries again
        finally:
            writer.close()


def _is_local(request: Request) -> bool:
    """Whether it comes from this machine, and past no proxy."""
    address = Exchange.of(request.scope).address
    return address in LOOPBACK and not any(name in request.headers for name in FORWARDED)
