"""The channels of a demo: they lead to its own inbox."""

import secrets

from gateway.config.settings import Settings
from gateway.http.addresses import loopback_host
from gateway.opening.database import utc_now
from storage.alerts.seeding import keep_channel
from storage.connections.database import Database

WEBHOOK, MAIL = "inbox", "mail"


async def keep_channels(settings: Settings) -> None:
    """Makes the channels `inbox` and `mail` of the platform, where the demo has an inbox."""
    if not settings.demo_mail_port:
        return
    address = f"http://{loopback_host(settings.host, settings.port)}/demo/inbox"
    database = await Database.open(settings.database_url)
    try:
        async with database.transaction() as connection:
            now, secret = utc_now(), secrets.token_hex(16)
            await keep_channel(
                connection, WEBHOOK, "webhook", {"url": address}, {"secret": secret}, now
            )
            mail = {"to": ["operations@demo.example"], "owners": True}
            await keep_channel(connection, MAIL, "email", mail, {}, now)
    finally:
        await database.close()
