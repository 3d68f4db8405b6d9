"""The limit of a project's mails: to so many addresses within an hour, over all its channels.

Tests of channels count as well. Mails leave under the sender of the platform, which no project may
make a sender of spam. What goes beyond is held back, and one mail follows that says how many there
were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import structlog
from pydantic import ValidationError

from alerts.delivery.channel import MailServer
from alerts.delivery.email import Email
from alerts.messages import MESSAGE, Action, Message, summary_of
from alerts.rules import Severity
from storage.alerts import mails
from storage.alerts.sends import MAILS, Claimed, NewSend, SendStatus
from storage.connections.database import Connection

log = structlog.get_logger(component="alerts")

# Of the addresses, this part is kept for critical alerts, for what is over, and for summaries.
KEPT_FOR_URGENT = 0.2
# A summary for which there is no room waits for so long.
SUMMARY_AGAIN = timedelta(minutes=10)

_IDS = UUID("0190b6d1-5e0d-7000-8000-a1e27a11e277")
_WHY = "This project has sent its mails of the hour. Alerts that still fire follow as it has room."


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail of a project that was claimed."""

    claimed: Claimed
    project_id: int
    message: Message
    addresses: int

    @property
    def is_urgent(self) -> bool:
        message = self.message
        is_over = message.action in (Action.RESOLVE, Action.ACKNOWLEDGE)
        return message.severity is Severity.CRITICAL or is_over or bool(message.held)


async def admitted(
    connection: Connection, claimed: Sequence[Claimed], server: MailServer, now: datetime
) -> list[Claimed]:
    """Returns what may be sent, in the transaction that has claimed it; the rest is put back.

    Addresses are counted before they are written to, so that workers together keep the limit. The
    transaction has taken `mails.lock` before it claimed.
    """
    found: list[_Mail] = []
    for each in claimed:
        if (mail := await _mail(connection, each)) is not None:
            found.append(mail)
    if not found:
        return list(claimed)
    refused: set[UUID] = set()
    for mail in sorted(found, key=lambda each: not each.is_urgent):
        if await _has_room(connection, mail, server, now):
            await mails.count(connection, mail.claimed, mail.addresses, now)
        else:
            refused.add(mail.claimed.send_id)
            await _refuse(connection, mail, server, now)
    return [each for each in claimed if each.send_id not in refused]


async def addresses_of(
    connection: Connection, settings: Mapping[str, Any], project_id: int | None
) -> int:
    """Returns to how many addresses a channel of mails writes, with the owners of a project.

    Raises pydantic's ValidationError.
    """
    channel = Email.of(settings, {})  # it has no secrets
    found = set(channel.to)
    if channel.owners and project_id is not None:
        found.update(await mails.owners(connection, project_id))
    return len(found)


async def may_test(
    connection: Connection, project_id: int, addresses: int, server: MailServer, now: datetime
) -> bool:
    """Whether a project may mail tests to so many addresses now.

    It locks as `mails.lock` does: the caller counts them in the same transaction.
    """
    await mails.lock(connection)
    others, _ = await mails.used(connection, project_id, None, now)
    return others + addresses <= _limit(server, is_urgent=False)


async def _has_room(connection: Connection, mail: _Mail, server: MailServer, now: datetime) -> bool:
    """Whether a mail may be sent; one that was counted within the hour is tried again."""
    others, own = await mails.used(connection, mail.project_id, mail.claimed.send_id, now)
    limit = _limit(server, is_urgent=mail.is_urgent)
    return own >= mail.addresses or others + mail.addresses <= limit


def _limit(server: MailServer, *, is_urgent: bool) -> int:
    most = server.addresses_per_hour
    return most if is_urgent else round(most * (1 - KEPT_FOR_URGENT))


async def _mail(connection: Connection, claimed: Claimed) -> _Mail | None:
    """None for what is no mail of a project, or cannot be sent anyway."""
    project_id = claimed.project_id
    if project_id is None or claimed.kind != Email.NAME or not claimed.enabled:
        return None
    try:
        addresses = await addresses_of(connection, claimed.settings or {}, project_id)
        message = MESSAGE.validate_python(claimed.message)
    except ValidationError:
        return None
    return _Mail(claimed, project_id, message, addresses)


async def _refuse(connection: Connection, mail: _Mail, server: MailServer, now: datetime) -> None:
    if mail.message.held:
        await mails.put_back(connection, mail.claimed, now + SUMMARY_AGAIN)
        return
    reason = f"The project has mailed {server.addresses_per_hour:,} addresses within the hour"
    await mails.hold(connection, mail.claimed, reason)
    channel_id, key = mail.claimed.channel_id, f"{MAILS}{mail.project_id}"
    waiting = await mails.summary(connection, channel_id, key)
    send_id, before, began = waiting or (
        uuid5(_IDS, f"{channel_id}:{key}:{now.isoformat()}"),
        {},
        now,
    )
    held = Counter(before) + Counter(item.rule for item in mail.message.items)
    link = mail.message.link
    message = summary_of(held, str(send_id), began, link, _WHY)
    await mails.add_summary(
        connection,
        NewSend(
            send_id=send_id,
            project_id=mail.project_id,
            channel_id=channel_id,
            group_key=key,
            event_ids=[],
            message=MESSAGE.dump_python(message, mode="json"),
            status=SendStatus.WAITING,
            reason=None,
            created_at=began,
            due_at=began + mails.COUNTED,  # then nothing counts any longer that filled the hour
        ),
    )
