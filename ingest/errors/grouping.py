"""Decides which occurrences are one error: the fingerprint, and the parts that decided it."""

import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from ingest.errors.fingerprints import DEFAULT, custom_fingerprint
from ingest.errors.frames import call_of, distinct_names, is_anonymous, telling
from ingest.errors.parts import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
)
from ingest.errors.templates import has_words, template_of
from ingest.errors.titles import SCRIPTED, culprit_of, title_of, type_of

# Part of every signature: a change to how events are grouped raises it, and old errors stay.
VERSION = 1

_SHOWN_VALUES, _SHOWN_CHARACTERS = 20, 200
_SHORTEST_TYPE = 3
_LONGEST_SEARCH, _LONGEST_SEARCH_PART = 8_000, 2_000


class PartKind(StrEnum):
    """A part of an event that can decide its group."""

    CUSTOM_FINGERPRINT = "CUSTOM_FINGERPRINT"
    IN_APP_FRAMES = "IN_APP_FRAMES"
    SYSTEM_FRAMES = "SYSTEM_FRAMES"
    EXCEPTION_TYPE = "EXCEPTION_TYPE"
    MESSAGE_TEMPLATE = "MESSAGE_TEMPLATE"
    TRANSACTION = "TRANSACTION"
    CULPRIT = "CULPRIT"
    PLATFORM = "PLATFORM"


class Part(NamedTuple):
    """One part that decided a group, and what it said."""

    kind: PartKind
    values: tuple[str, ...]


class Grouping(NamedTuple):
    """Which error an event belongs to, why, and what that error is called.

    `signature` is 32 hexadecimal digits, the same for the same failure in every project.
    """

    signature: str
    decided_by: tuple[Part, ...]
    title: str
    error_type: str | None
    culprit: str
    platform: str

    def as_json(self) -> Json:
        parts = [{"part": part.kind.value, "values": [*part.values]} for part in self.decided_by]
        return {"version": VERSION, "decidedBy": parts}


def group(body: Json) -> Grouping:
    """The group of an event in the usual shape."""
    custom, exceptions = custom_fingerprint(body), exceptions_of(body)
    parts = [Part(PartKind.CUSTOM_FINGERPRINT, tuple(each for each in custom if each != DEFAULT))]
    if not custom or DEFAULT in custom:
        parts += _default_parts(body, exceptions)
    parts = [part for part in parts if part.values]
    signed = json.dumps([VERSION, parts])
    return Grouping(
        hashlib.sha256(signed.encode()).hexdigest()[:32],
        tuple(map(_shown, parts)),
        title_of(body),
        type_of(exceptions[-1], body) if exceptions else None,
        culprit_of(body),
        _platform(body),
    )


def _shown(part: Part) -> Part:
    values = part.values[-_SHOWN_VALUES:]
    return Part(part.kind, tuple(value[:_SHOWN_CHARACTERS] for value in values))


def _default_parts(body: Json, exceptions: list[Json]) -> list[Part]:
    """The first of these that the event has: exceptions, a message, frames, a place."""
    template = _template(body)
    if exceptions:
        parts = _exception_parts(exceptions, body, template)
    elif template:
        parts = [Part(PartKind.MESSAGE_TEMPLATE, (template,))]
    else:
        parts = [_frame_part([loose_frames_of(body)], _platform(body))]
    says_where = any(part.values for part in parts if part.kind is not PartKind.EXCEPTION_TYPE)
    return parts if says_where else [*parts, _place(body)]


def _exception_parts(exceptions: list[Json], body: Json, logged: str) -> list[Part]:
    """The frames and types of a chain; the message joins where the frames say little."""
    platform = _platform(body)
    chained = _distinct(exceptions, body)
    frames = _frame_part([frames_of(each) for each in chained], platform)
    shortest = _SHORTEST_TYPE if platform in SCRIPTED else 0  # names of minified classes
    types = [kind for each in chained if len(kind := type_of(each, body) or "") >= shortest]
    parts = [frames, Part(PartKind.EXCEPTION_TYPE, tuple(filter(None, types)))]
    if frames.kind is PartKind.IN_APP_FRAMES and not all(map(is_anonymous, frames.values)):
        return parts
    template = template_of(chained[-1].get("value", "")) or logged
    return [*parts, Part(PartKind.MESSAGE_TEMPLATE, (template,) if template else ())]


def _frame_part(traces: list[list[Json]], platform: str) -> Part:
    """The app's own frames of all stack traces, or all frames if none is the app's own."""
    are_own, names = telling(traces, platform)
    return Part(PartKind.IN_APP_FRAMES if are_own else PartKind.SYSTEM_FRAMES, names)


def _distinct(exceptions: list[Json], body: Json) -> list[Json]:
    """The chain without repetitions, as retries make them; a group's members sorted by kind."""
    if len(exceptions) == 1:
        return exceptions
    platform = _platform(body)
    kinds = []
    for each in exceptions:
        names = distinct_names(call_of(frame, platform).name for frame in frames_of(each))
        kinds.append((type_of(each, body) or "", *names))
    if any(each.get("mechanism", {}).get("is_exception_group") for each in exceptions):
        members = dict(zip(kinds[:-1], exceptions[:-1], strict=True))
        return [*(members[kind] for kind in sorted(members)), exceptions[-1]]
    new = [kind != before for kind, before in zip(kinds, [None, *kinds[:-1]], strict=True)]
    return [each for each, is_new in zip(exceptions, new, strict=True) if is_new]


def _template(body: Json) -> str:
    """The logged template; if that has no words, as `%s: %s`, one of the message."""
    template, message = message_of(body)
    return template_of(template if has_words(template) else message)


def _place(body: Json) -> Part:
    transaction = template_of(body.get("transaction", ""))
    if transaction:
        return Part(PartKind.TRANSACTION, (transaction,))
    culprit = template_of(culprit_of(body))
    if culprit:
        return Part(PartKind.CULPRIT, (culprit,))
    return Part(PartKind.PLATFORM, (_platform(body) or "other",))


def _platform(body: Json) -> str:
    """The body's platform; of a stack trace that came as text, its language."""
    frames = frames_of((exceptions_of(body) or [{}])[-1])
    return str(body.get("platform") or (frames or [{}])[-1].get("platform", ""))[:64]


def searchable(body: Json) -> str:
    """Messages, types, function and file names, the most telling first, each once; bounded."""
    parts = (part[:_LONGEST_SEARCH_PART] for part in _searched(body) if part)
    return "\n".join(dict.fromkeys(parts))[:_LONGEST_SEARCH]


def _searched(body: Json) -> Iterator[str]:
    exceptions = exceptions_of(body)[::-1]
    for exception in exceptions:
        yield from (exception.get(name, "") for name in ("type", "value", "module"))
    yield from (message_of(body)[1], culprit_of(body), body.get("logger", ""))
    for trace in map(frames_of, exceptions) if exceptions else [loose_frames_of(body)]:
        for frame in reversed(trace[-100:]):
            yield from (frame.get(name, "") for name in ("function", "module", "filename"))
