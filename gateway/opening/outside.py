"""How messages of alerts leave this process, by the settings."""

from urllib.parse import unquote, urlsplit

from access.destinations import Destinations
from access.outgoing import Outgoing
from alerts.delivery.channel import MailServer, Outside
from gateway.config.settings import Settings

SECURITY = {"smtp": "starttls", "smtps": "tls", "smtp+plain": "none"}
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


def open_outside(settings: Settings) -> Outside:
    """The way out; without a mail server where none is set."""
    destinations = Destinations.of(settings.alert_local_hosts)
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    return Outside(Outgoing(destinations), mail_server(settings), base_url)


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the settings."""
    if not settings.smtp_url:
        return None
    parts = urlsplit(settings.smtp_url)
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        security=SECURITY[parts.scheme],
        sender=settings.mail_from,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
