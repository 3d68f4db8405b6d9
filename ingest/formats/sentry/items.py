"""What an SDK sent, item by item: events to record, and what is dropped with its reason."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from access.drops import Category, Reason
from ingest.bodies import parsed
from ingest.formats.sentry import filters
from ingest.formats.sentry.envelope import Envelope, Item
from ingest.formats.sentry.shapes import usual_shape
from ingest.formats.sentry.times import EventTime, event_time, read_time, sent_at
from ingest.formats.sentry.transactions import api_call
from ingest.identity import project_namespace
from storage.admin.project_keys import ProjectKey
from storage.errors import InvalidInput

MAX_EVENT_BYTES = 1 << 20
MAX_REPORTED = 1_000_000  # of one line of a client report
_MAX_REPORT_LINES = 100

_ID = re.compile(r"[0-9a-f]{32}")

# The types of items, and the names of categories in client reports but those that count bytes.
_WORDS = {
    Category.ERROR: "event error",
    Category.TRANSACTION: "transaction",
    Category.SESSION: "session sessions",
    Category.ATTACHMENT: "attachment",
    Category.FEEDBACK: "user_report user_report_v2 feedback",
    Category.PROFILE: "profile profile_chunk",
    Category.REPLAY: "replay replay_event replay_recording replay_video",
    Category.CHECK_IN: "check_in monitor",
    Category.LOG: "log otel_log log_item",
    Category.METRIC: "statsd metric_bucket metric_buckets trace_metric",
    Category.SPAN: "span otel_span",
    Category.CLIENT_REPORT: "client_report",
}
_CATEGORIES = {word: category for category, words in _WORDS.items() for word in words.split()}
_REPORTED_CATEGORIES = _CATEGORIES | {"default": Category.ERROR}
_BYTES = frozenset({"attachment", "log_byte", "trace_metric_byte"})
_REPORTED_REASONS: Mapping[str, Reason] = {
    "ratelimit_backoff": Reason.CLIENT_RATE_LIMITED,
    "sample_rate": Reason.CLIENT_SAMPLED,
    "before_send": Reason.CLIENT_FILTERED,
    "event_processor": Reason.CLIENT_FILTERED,
    "ignored": Reason.CLIENT_FILTERED,
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """Items that are not recorded."""

    category: Category
    reason: Reason
    count: int = 1


@dataclass(frozen=True, slots=True)
class SdkEvent:
    """An error or a transaction to record; `content` are the fields of the plain event."""

    category: Category
    event_id: UUID
    time: EventTime
    content: Mapping[str, Any]
    body: Mapping[str, Any]
    size_bytes: int

    def as_plain(self, project: str, at: datetime) -> dict[str, Any]:
        """The event in the plain format."""
        common = {"id": str(self.event_id), "time": at.isoformat(), "project": project}
        return {**self.content, **common}


def is_event(item: Item, key: ProjectKey) -> bool:
    """Whether the item is to be read as an error, or as a transaction if the key takes them."""
    category = _CATEGORIES.get(item.type)
    return category is Category.ERROR or (
        category is Category.TRANSACTION and key.takes_transactions
    )


def read_items(
    envelope: Envelope, key: ProjectKey, received_at: datetime, *, has_room: bool = True
) -> Iterator[SdkEvent | Dropped]:
    """Reads the items of an envelope as the settings of a key say.

    If the key's budget has no room, events are dropped unread.
    """
    reader = _Reader(envelope.header, key, received_at)
    for item in envelope.items:
        category = _CATEGORIES.get(item.type, Category.OTHER)
        if is_event(item, key):
            yield reader.read(item, category) if has_room else Dropped(category, Reason.KEY_BUDGET)
        elif category is Category.TRANSACTION:
            yield Dropped(category, Reason.TRANSACTIONS_OFF)
        elif not item.type:
            yield Dropped(category, Reason.UNREADABLE)
        else:
            yield Dropped(category, Reason.NOT_USED)
            if category is Category.CLIENT_REPORT:
                yield from _reported(item.payload)


class _Reader:
    """Reads the events of one envelope."""

    def __init__(self, header: Mapping[str, Any], key: ProjectKey, received_at: datetime) -> None:
        self._key = key
        self._received_at = received_at
        self._sent_at = sent_at(header)
        self._id: UUID | None = event_id(header.get("event_id"))

    def read(self, item: Item, category: Category) -> SdkEvent | Dropped:
        if len(item.payload) > MAX_EVENT_BYTES:
            return Dropped(category, Reason.TOO_LARGE)
        try:
            given = parsed(item.payload)
        except InvalidInput:
            given = None
        if not isinstance(given, dict):
            return Dropped(category, Reason.UNREADABLE)
        if given.get("type") == "transaction":
            category = Category.TRANSACTION
        return self._event(given, item.payload, category)

    def _event(
        self, given: dict[str, Any], payload: bytes, category: Category
    ) -> SdkEvent | Dropped:
        body = usual_shape(given)
        if reason := self._filtered(body):
            return Dropped(category, reason)
        if category is Category.TRANSACTION:
            if not self._key.takes_transactions:
                return Dropped(category, Reason.TRANSACTIONS_OFF)
            call = api_call(body)
            if call is None:
                return Dropped(category, Reason.NO_REQUEST)
            content = {"type": "api.call", **call}
        else:
            # These decide to what the error belongs, so they are fields of the event too.
            both = ("release", "environment")
            named: dict[str, Any] = {name: body[name] for name in both if name in body}
            content = {"type": "error.occurred", "payload": body, **named}
        time = event_time(read_time(body.get("timestamp")), self._sent_at, self._received_at)
        own_id = self._event_id(body, payload)
        return SdkEvent(category, own_id, time, content, body, len(payload))

    def _filtered(self, body: Mapping[str, Any]) -> Reason | None:
        """The filter that the event meets."""
        settings = self._key
        if filters.matches_release(body, settings.refused_releases):
            return Reason.RELEASE_FILTER
        if filters.matches_text(body, settings.refused_texts):
            return Reason.TEXT_FILTER
        if settings.refuses_legacy_browsers and filters.is_of_legacy_browser(body):
            return Reason.BROWSER_FILTER
        return None

    def _event_id(self, body: Mapping[str, Any], payload: bytes) -> UUID:
        """The event's own id, else that of the envelope, once, else one of its content."""
        if own := event_id(body.get("event_id")):
            return own
        of_envelope, self._id = self._id, None
        digest = hashlib.sha256(payload).hexdigest()
        return of_envelope or uuid5(project_namespace(self._key.project), f"payload\n{digest}")


def event_id(text: object) -> UUID | None:
    """The id in 32 hexadecimal digits, with hyphens or without; None if it is none."""
    if not isinstance(text, str):
        return None
    digits = text.strip().lower().replace("-", "")
    return UUID(digits) if _ID.fullmatch(digits) and digits.strip("0") else None


def _reported(payload: bytes) -> Iterator[Dropped]:
    """What an SDK says that it did not send."""
    try:
        report = parsed(payload)
    except InvalidInput:
        return
    lines = report.get("discarded_events") if isinstance(report, dict) else None
    for line in lines[:_MAX_REPORT_LINES] if isinstance(lines, list) else ():
        if not isinstance(line, dict):
            continue
        reason, category, count = (line.get(name) for name in ("reason", "category", "quantity"))
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            continue
        if not isinstance(category, str) or not isinstance(reason, str) or category in _BYTES:
            continue
        yield Dropped(
            _REPORTED_CATEGORIES.get(category, Category.OTHER),
            _REPORTED_REASONS.get(reason, Reason.CLIENT_LOST),
            min(count, MAX_REPORTED),
        )
