"""Letters for the tests of each kind of channel."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from alerts.delivery.channel import Letter
from alerts.messages import Happening, Item, item_of, message_of
from alerts.rules import Severity
from alerts.states import Transition
from tests.alerts.delivery.stage import NOW, evidence, rule

SEND_ID = UUID("0190b6d1-0000-7000-8000-00000000000a")
EPISODE = UUID("0190b6d1-0000-7000-8000-00000000000e")
BASE_URL = "https://gw.example.com"


def item(transition: Transition = Transition.FIRING, **fields: Any) -> Item:
    """An alert that fires, or began ten minutes ago; some fields are those of the happening."""
    given: dict[str, Any] = {
        "event_id": uuid4(),
        "rule_id": UUID(int=7),
        "rule": rule(),
        "project": "shop",
        "instance": "network=metis",
        "transition": transition,
        "at": NOW,
        "since": NOW if transition is Transition.FIRING else NOW - timedelta(minutes=10),
        "severity": Severity.CRITICAL,
        "labels": {"network": "metis"},
        "evidence": evidence(deployment_id="0190b6d1-0000-7000-8000-00000000000d"),
        "episode_id": EPISODE,
    }
    own = {name: fields.pop(name) for name in list(fields) if name not in given}
    return replace(item_of(Happening(**{**given, **fields}), BASE_URL), **own)


def letter(*items: Item, owners: tuple[str, ...] = ()) -> Letter:
    """A letter about these alerts, or one that fires."""
    return Letter(SEND_ID, message_of(items or [item()]), NOW, owners)
