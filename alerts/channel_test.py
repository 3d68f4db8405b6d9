"""A test of a channel: one message that says it is one, and what the receiver answered."""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside, delivered
from alerts.messages import Action, Item, message_of, plain_item


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of a test; ``detail`` is the receiver's answer, or why there is none."""

    is_delivered: bool
    detail: str
    duration_ms: int


async def send_test(
    channel: ChannelKind,
    outside: Outside,
    *,
    name: str,
    project: str | None,
    owners: tuple[str, ...] = (),
    now: datetime,
) -> TestResult:
    """Sends one message that says it is a test, once and within seconds.

    The result shows no secret. Receivers with incidents of their own get one that is resolved
    at once.
    """
    began = time.perf_counter()
    actions = (Action.FIRE, Action.RESOLVE) if channel.KEEPS_STATE else (Action.TELL,)
    episode, details = uuid4(), list[str]()
    try:
        for action in actions:
            item = _test_item(action, episode, name, project, now)
            message = message_of([replace(item, link=outside.base_url)])
            letter = Letter(uuid4(), message, now, owners)
            details.append(await delivered(channel, letter, outside))
    except DeliveryError as error:
        return TestResult(False, error.detail, _since(began))
    return TestResult(True, details[0], _since(began))


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _test_item(
    action: Action, episode: UUID, name: str, project: str | None, now: datetime
) -> Item:
    text = "Somebody tests whether messages arrive here. Nothing is wrong."
    item = plain_item(episode, "Test", f"Test of the channel {name}", text, now)
    return replace(item, action=action, project=project)
