"""Prepares error events for the writer: scrubbed, grouped, and tied to a deployment."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid5

import orjson

from ingest.errors.composing import body_of, tag_of, user_of
from ingest.errors.failures import occurrence_of
from ingest.errors.grouping import Grouping, group, searchable
from ingest.errors.origins import Clue, Origin, Origins, origin_at
from ingest.errors.project_rules import ProjectRules
from ingest.errors.scrubbing import Rules, scrub, scrub_name
from ingest.errors.told_texts import has_texts, without_secrets
from ingest.events import Event
from ingest.identity import as_uuid, entity_uuid, project_namespace
from ingest.wire.error_occurrences import LEVELS
from storage.connections.database import Database
from storage.dimensions import ENVIRONMENT, ERROR_TYPE, NETWORK, SEVERITY, TEMPLATE
from storage.error_groups.occurrence import Description
from storage.error_groups.tables import SEVERITIES
from storage.error_groups.users import user_key
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.names import MAX_NAME_LENGTH, wrong_name

_log = logging.getLogger(__name__)

_DEFAULT_SEVERITY = "high"
# Requests take turns of so many events, so that small ones need not wait for large ones.
_EVENTS_PER_TURN = 5

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class _Draft(NamedTuple):
    """An error event, with what was made of its body."""

    event: Event
    body: dict[str, Any]
    grouping: Grouping
    user_key: int | None
    clue: Clue


class ErrorEvents:
    """Prepares the error events of requests."""

    def __init__(self, database: Database, *, are_tracked: bool = True) -> None:
        self.are_tracked = are_tracked
        self._origins = Origins(database)
        self._rules = ProjectRules(database)
        self._turn = asyncio.Lock()

    async def prepare(
        self, events: Mapping[int, Event], project_ids: Mapping[str, int], oldest: datetime | None
    ) -> tuple[dict[int, Event], set[int]]:
        """The error events among these, prepared, by their index; and others without secrets.

        Second come the indexes of events that could not be prepared, whatever is in them.

        A failed deployment or build has an occurrence of its own, whose index is below zero,
        unless it is from before the oldest time that is accepted of errors.
        """
        given: dict[int, Event] = {}
        failed: set[int] = set()
        told = {index: event for index, event in events.items() if has_texts(event)}
        others = await self._in_turns(without_secrets, told, failed)
        for index, event in events.items():
            if event.fact is ERROR_OCCURRENCES:
                given[index] = event
            elif self._has_occurrence(event, oldest) and (occurrence := occurrence_of(event)):
                given[-1 - index] = occurrence
        projects = {event.project: project_ids[event.project] for event in given.values()}
        rules = await self._rules.of(projects) if projects else {}
        drafts = await self._in_turns(
            lambda event: _draft(event, project_ids[event.project], rules[event.project]),
            given,
            failed,
        )
        origins = await self._origins.find(draft.clue for draft in drafts.values())
        prepared = await self._in_turns(
            lambda draft: _prepared(draft, origins.get(draft.clue, ())), drafts, failed
        )
        return others | prepared, failed

    async def _in_turns(
        self, work: Callable[[_Item], _Result], items: Mapping[int, _Item], failed: set[int]
    ) -> dict[int, _Result]:
        """The results of work on each of the items; adds the indexes of those it fails for."""
        results: dict[int, _Result] = {}
        todo = list(items.items())
        for start in range(0, len(todo), _EVENTS_PER_TURN):
            async with self._turn:
                for index, item in todo[start : start + _EVENTS_PER_TURN]:
                    try:
                        results[index] = work(item)
                    except Exception:  # noqa: BLE001 - one event costs none beside it
                        _log.exception("an event could not be prepared")
                        failed.add(index)
                await asyncio.sleep(0)
        return results

    def _has_occurrence(self, event: Event, oldest: datetime | None) -> bool:
        return self.are_tracked and (oldest is None or event.occurred_at >= oldest)


def _draft(event: Event, project_id: int, rules: Rules) -> _Draft:
    body = body_of(event)
    user = user_of(body)
    key = user_key(project_namespace(event.project), user) if user else None
    deployment = event.value("deployment_id")
    if deployment is None and (named := tag_of(body, "deployment")):
        deployment = entity_uuid(event.project, named)
    release = event.value("release") or body.get("release")
    environment = event.name(ENVIRONMENT) or body.get("environment")
    clue = Clue(project_id, deployment, release, environment)
    clean = scrub(body, rules)
    return _Draft(event, clean, group(clean), key, clue)


def _prepared(draft: _Draft, origins: Sequence[Origin]) -> Event:
    event, body, grouping = draft.event, draft.body, draft.grouping
    origin = origin_at(origins, event.occurred_at)
    signature = _archived(draft.event) or UUID(hex=grouping.signature)
    severity = event.name(SEVERITY) or LEVELS.get(body.get("level", ""), _DEFAULT_SEVERITY)
    network = event.name(NETWORK) or _name(tag_of(body, "network"))
    template = event.name(TEMPLATE) or _name(tag_of(body, "template"))
    names = {
        ERROR_TYPE: _clean(event.name(ERROR_TYPE)) or _name(grouping.error_type),
        SEVERITY: severity,
        ENVIRONMENT: _clean(draft.clue.environment),
        NETWORK: network.lower() if network else origin and origin.network,
        TEMPLATE: template or (origin and origin.template),
    }
    values = {
        "fingerprint_id": fingerprint_id(event.project, signature),
        "user_key": draft.user_key,
        "release": _clean(draft.clue.release),
        "function": _clean(event.value("function")) or _name(tag_of(body, "function")),
        "deployment_id": draft.clue.deployment_id or (origin and origin.deployment_id),
    }
    about = Description(
        signature,
        grouping.as_json(),
        grouping.title,
        names[ERROR_TYPE],
        grouping.culprit or None,
        SEVERITIES.index(severity),
        grouping.platform or None,
        orjson.dumps(body).decode(),
        searchable(body),
    )
    return replace(
        event,
        names=tuple(names[dimension] for dimension in event.fact.dimensions),
        values=tuple(values[column] for column in event.fact.columns),
        content=about,
    )


def fingerprint_id(project: str, signature: UUID) -> UUID:
    """The id of a signature in a project."""
    return uuid5(project_namespace(project), f"fingerprint\n{signature.hex}")


def _archived(event: Event) -> UUID | None:
    """The signature that an event from an archive gives."""
    return as_uuid(event.content["signature"] or "")


def _clean(name: str | None) -> str | None:
    return scrub_name(name) if name else name


def _name(text: str | None) -> str | None:
    """The text as a name of a dimension; None if it cannot be one."""
    text = (text or "").strip()[:MAX_NAME_LENGTH]
    return text if text and not wrong_name(text) else None
