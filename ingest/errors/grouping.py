"""Decides which occurrences are one error: the fingerprint, and the parts that decided it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingest.errors.fingerprints import custom_fingerprint
from ingest.errors.frames import in_app_of, is_anonymous, is_minified, names_of
from ingest.errors.shapes import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
    object_of,
    text_of,
)
from ingest.errors.templates import has_words, template_of
from ingest.errors.titles import culprit_of, title_of, type_of

VERSION = 1
"""Part of every signature: a change to how events are grouped raises it, and old errors stay."""

_SHOWN_VALUES = 20
_SHOWN_CHARACTERS = 200
_LONGEST_PLATFORM = 64
_SHORTEST_TYPE = 3
_SCRIPTED = frozenset({"javascript", "node"})


class PartKind(StrEnum):
    """A part of an event that can decide its group."""

    CUSTOM_FINGERPRINT = "CUSTOM_FINGERPRINT"
    IN_APP_FRAMES = "IN_APP_FRAMES"
    SYSTEM_FRAMES = "SYSTEM_FRAMES"
    EXCEPTION_TYPE = "EXCEPTION_TYPE"
    MESSAGE_TEMPLATE = "MESSAGE_TEMPLATE"
    CULPRIT = "CULPRIT"
    TRANSACTION = "TRANSACTION"
    PLATFORM = "PLATFORM"


@dataclass(frozen=True, slots=True)
class Part:
    """One part that decided a group, and what it said."""

    kind: PartKind
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which error an event belongs to, why, and how that error is named.

    `signature` is 32 hexadecimal digits, the same for the same failure in every project.
    """

    signature: str
    version: int
    decided_by: tuple[Part, ...]
    title: str
    error_type: str | None
    culprit: str
    platform: str

    def as_json(self) -> Json:
        """Returns the version and the parts that decided, as they are stored."""
        return {
            "version": self.version,
            "decidedBy": [
                {"part": part.kind.value, "values": list(part.values)} for part in self.decided_by
            ],
        }


def group(body: Json) -> Grouping:
    """Returns the group of an event in the shape that Sentry's SDKs send.

    Never raises: a value of a wrong type counts as missing.
    """
    parts = _parts(body)
    title = title_of(body)
    return Grouping(
        signature=_signature(parts),
        version=VERSION,
        decided_by=tuple(_shown(part) for part in parts),
        title=title.title,
        error_type=title.error_type,
        culprit=title.culprit,
        platform=_platform(body),
    )


def _signature(parts: Iterable[Part]) -> str:
    text = json.dumps(
        [VERSION, [[part.kind.value, *part.values] for part in parts]], separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _shown(part: Part) -> Part:
    return Part(
        part.kind, tuple(value[:_SHOWN_CHARACTERS] for value in part.values[-_SHOWN_VALUES:])
    )


def _parts(body: Json) -> list[Part]:
    custom = custom_fingerprint(body)
    own = tuple(part for part in custom if part is not None)
    parts = [Part(PartKind.CUSTOM_FINGERPRINT, own)] if own else []
    return parts if own and None not in custom else [*parts, *_default_parts(body)]


def _default_parts(body: Json) -> list[Part]:
    """Returns the first of these that the event has: exceptions, a message, frames, a place."""
    platform = _platform(body)
    if exceptions := exceptions_of(body):
        return _exception_parts(exceptions, body, platform)
    if template := _message_template(body):
        return [Part(PartKind.MESSAGE_TEMPLATE, (template,))]
    if frames := loose_frames_of(body):
        return [part for part in _frame_parts([frames], platform) if part.values] or _place_parts(
            body
        )
    return _place_parts(body)


def _exception_parts(exceptions: list[Json], body: Json, platform: str) -> list[Part]:
    """Returns the frames and types of a chain of exceptions.

    The message joins where the frames say little.
    """
    chain = _distinct(exceptions, platform)
    parts = [
        part for part in _frame_parts([frames_of(each) for each in chain], platform) if part.values
    ]
    types = tuple(
        kind
        for each in chain
        if (kind := type_of(each, platform)) and not _is_minified_type(kind, platform)
    )
    if types:
        parts.append(Part(PartKind.EXCEPTION_TYPE, types))
    if (
        parts
        and parts[0].kind is PartKind.IN_APP_FRAMES
        and not all(map(is_anonymous, parts[0].values))
    ):
        return parts
    template = template_of(text_of(chain[-1].get("value"))) or _message_template(body)
    if template:
        return [*parts, Part(PartKind.MESSAGE_TEMPLATE, (template,))]
    return (
        parts
        if any(part.kind is PartKind.SYSTEM_FRAMES for part in parts)
        else [*parts, *_place_parts(body)]
    )


def _frame_parts(traces: list[list[Json]], platform: str) -> Iterator[Part]:
    """Yields the app's own frames of all stack traces, or all frames if none is the app's own."""
    readable = [[frame for frame in trace if not is_minified(frame, platform)] for trace in traces]
    own = [in_app_of(trace, platform) for trace in readable]
    kind = PartKind.IN_APP_FRAMES if any(own) else PartKind.SYSTEM_FRAMES
    names = (names_of(trace, platform) for trace in (own if any(own) else readable))
    yield Part(kind, tuple(name for trace in names for name in trace))


def _distinct(exceptions: list[Json], platform: str) -> list[Json]:
    """Returns the chain without repetitions, as retries make them.

    Of a group of exceptions, returns one of each kind, sorted, and the group itself.
    """
    if len(exceptions) == 1:
        return exceptions
    kinds = [
        (type_of(each, platform) or "", *names_of(frames_of(each), platform)) for each in exceptions
    ]
    if any(
        object_of(each.get("mechanism")).get("is_exception_group") is True for each in exceptions
    ):
        unique = dict(zip(kinds[:-1], exceptions[:-1], strict=True))
        return [*(unique[kind] for kind in sorted(unique)), exceptions[-1]]
    return [
        each
        for index, each in enumerate(exceptions)
        if index == 0 or kinds[index] != kinds[index - 1]
    ]


def _is_minified_type(kind: str, platform: str) -> bool:
    return platform in _SCRIPTED and len(kind) < _SHORTEST_TYPE


def _message_template(body: Json) -> str:
    """Returns the logged template; if that has no words, as `%s: %s`, one of the message."""
    template, message = message_of(body)
    return template_of(template if has_words(template) else message)


def _place_parts(body: Json) -> list[Part]:
    for name, kind in (("transaction", PartKind.TRANSACTION), ("culprit", PartKind.CULPRIT)):
        if place := template_of(text_of(body.get(name))):
            return [Part(kind, (place,))]
    if culprit := template_of(culprit_of(body)):
        return [Part(PartKind.CULPRIT, (culprit,))]
    return [Part(PartKind.PLATFORM, (_platform(body) or "other",))]


def _platform(body: Json) -> str:
    """Returns the body's platform; of a stack trace that came as text, its language."""
    if not (platform := text_of(body.get("platform"))):
        frames = [frame for each in exceptions_of(body)[-1:] for frame in frames_of(each)[-1:]]
        platform = text_of(frames[0].get("platform")) if frames else ""
    return platform[:_LONGEST_PLATFORM]
