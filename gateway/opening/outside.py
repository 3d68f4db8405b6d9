"""How messages of alerts leave this process, by the settings."""

from typing import ClassVar
from urllib.parse import unquote, urlsplit

from access.destinations import Destinations
from access.outgoing import Outgoing
from alerts.delivery import KINDS
from alerts.delivery.channel import ChannelKind, MailServer, Outside, Url
from gateway.config.settings import SMTP_SCHEMES, Settings, SettingsError

SECURITY = dict(zip(SMTP_SCHEMES, ("starttls", "tls", "none"), strict=True))
PORTS = dict(zip(SMTP_SCHEMES, (587, 465, 25), strict=True))


def open_outside(settings: Settings) -> Outside:
    """The way out; without a mail server where none is set."""
    destinations = Destinations.of(settings.alert_local_hosts)
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    return Outside(Outgoing(destinations), mail_server(settings), base_url)


def operations_channel(settings: Settings) -> ChannelKind | None:
    """The channel that is told when the database is away; raises SettingsError."""
    if not settings.operations_url:
        return None
    scheme, _, rest = settings.operations_url.partition(":")
    kind, given, secrets = KINDS["email"], {"to": rest}, dict[str, str]()
    if scheme != "mailto":
        kind, given = KINDS["webhook"], {"url": settings.operations_url}
        secrets = {"secret": settings.operations_secret}
    elif not settings.smtp_url:
        raise SettingsError("SMTP_URL must be set for mails to OPERATIONS_URL")
    local = Destinations.of(settings.alert_local_hosts).local
    for field, problem in kind.problems(given, secrets, local):
        raise SettingsError(f"OPERATIONS_{'SECRET' if field == 'secret' else 'URL'}: {problem}")
    return kind.of(given, secrets)


class _Checker(ChannelKind):
    """What a heartbeat goes to: an address as those of channels are."""

    NAME: ClassVar[str] = "heartbeat"

    url: Url


def heartbeat_url(settings: Settings) -> str:
    """The address of heartbeats, empty if there is none; raises SettingsError."""
    if settings.alert_heartbeat_url:
        local = Destinations.of(settings.alert_local_hosts).local
        for _, problem in _Checker.problems({"url": settings.alert_heartbeat_url}, {}, local):
            raise SettingsError(f"ALERT_HEARTBEAT_URL: {problem}")
    return settings.alert_heartbeat_url


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
        addresses_per_hour=settings.alert_mails_per_hour,
    )
