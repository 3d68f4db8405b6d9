"""Prepares log lines for the writer: scrubbed, and tied to a deployment."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from ingest.events import Event
from ingest.origins import Clue, Origin, Origins, origin_at
from ingest.preparation import Preparation, Preparer, Project
from ingest.scrubbing import scrub
from storage.connections.database import Database
from storage.dimensions import ENVIRONMENT
from storage.log_lines.recording import LogText

# A line is found by the words in so many of its first characters.
MAX_SEARCHED = 16_000
# Postgres takes such a text for one word, so its parts would not be found.
_JOINED = re.compile(r"(?<!\w)\w++(?:[^\w\s]++\w++)+")
_BETWEEN = re.compile(r"[^\w\s]+")
_NAMES = ("trace_id", "span_id", "release")


class _Draft(NamedTuple):
    """A line without secrets, and what it says of its deployment."""

    event: Event
    clue: Clue


class LogLines(Preparer):
    """Removes the secrets of lines, and finds their deployments."""

    def __init__(self, database: Database) -> None:
        self._origins = Origins(database)

    async def prepare(
        self, events: Mapping[int, Event], preparation: Preparation
    ) -> Mapping[int, Event]:
        drafts = await preparation.each(
            lambda event: _draft(event, preparation.projects[event.project]), events
        )
        origins = await self._origins.find(draft.clue for draft in drafts.values())
        return {
            index: _at_origin(draft, origins.get(draft.clue, ())) for index, draft in drafts.items()
        }


def _draft(event: Event, project: Project) -> _Draft:
    columns, dimensions = event.fact.columns, event.fact.dimensions
    values = dict(zip(columns, event.values, strict=True))
    given = dict(zip((each.name for each in dimensions), event.names, strict=True))
    given |= {name: values[name] for name in _NAMES} | event.content
    clean = scrub({name: value for name, value in given.items() if value}, project.rules)
    values |= {name: clean.get(name) for name in _NAMES}
    clean_event = replace(
        event,
        names=tuple(clean.get(each.name) for each in dimensions),
        values=tuple(values.values()),
        content=_text(clean),
    )
    environment = event.name(ENVIRONMENT)
    clue = Clue(project.id, values["deployment_id"], event.value("release"), environment)
    return _Draft(clean_event, clue)


def _text(clean: Mapping[str, Any]) -> LogText:
    fields = clean.get("fields")
    searched = ("logger", "trace_id", "span_id", "message", "fields")
    return LogText(
        clean.get("message"),
        None if fields is None else orjson.dumps(fields).decode(),
        searchable(_texts([clean.get(name) for name in searched])),
    )


def searchable(texts: Iterable[str | None]) -> str:
    """The texts, and the parts of what is written in one with dots, slashes and the like."""
    text = "\n".join(filter(None, texts))[:MAX_SEARCHED]
    joined = dict.fromkeys(_JOINED.findall(text))
    return "\n".join((text, *(_BETWEEN.sub(" ", each) for each in joined)))


def _at_origin(draft: _Draft, origins: Sequence[Origin]) -> Event:
    """The line with the deployment of its release, unless it names one."""
    event = draft.event
    if draft.clue.deployment_id or (origin := origin_at(origins, event.occurred_at)) is None:
        return event
    values = dict(zip(event.fact.columns, event.values, strict=True))
    return replace(event, values=tuple({**values, "deployment_id": origin.deployment_id}.values()))


def _texts(value: Any) -> Iterator[str]:
    """All texts and numbers in a value."""
    match value:
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield value
        case int() | float():
            yield str(value)
