"""Prepares error events for the writer: scrubbed, grouped, and tied to a deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson

from ingest.errors.composing import body_of, tag_of, user_of
from ingest.errors.failures import occurrence_of
from ingest.errors.grouping import group, searchable
from ingest.events import Event
from ingest.identity import as_uuid, entity_uuid, project_namespace
from ingest.origins import Clue, Origin, Origins, origin_at
from ingest.preparation import Preparation, Preparer, Project
from ingest.scrubbing import scrub, scrub_name
from ingest.wire.error_occurrences import LEVELS
from storage.connections.database import Database
from storage.dimensions import ENVIRONMENT, ERROR_TYPE, NETWORK, SEVERITY, TEMPLATE, Dimension
from storage.error_groups.occurrence import Description
from storage.error_groups.tables import SEVERITIES
from storage.error_groups.users import user_key
from storage.names import MAX_NAME_LENGTH, wrong_name

_DEFAULT_SEVERITY = "high"


class _Draft(NamedTuple):
    """An event with all but what its deployment tells, and the clue to that."""

    event: Event
    clue: Clue


class ErrorOccurrences(Preparer):
    """Makes a body of each event, which decides its error."""

    def __init__(self, database: Database) -> None:
        self._origins = Origins(database)

    def brought_by(self, event: Event) -> Event | None:
        return occurrence_of(event)

    async def prepare(
        self, events: Mapping[int, Event], preparation: Preparation
    ) -> Mapping[int, Event]:
        drafts = await preparation.each(
            lambda event: _draft(event, preparation.projects[event.project]), events
        )
        origins = await self._origins.find(draft.clue for draft in drafts.values())
        return await preparation.each(
            lambda draft: _placed(draft, origins.get(draft.clue, ())), drafts
        )


def _draft(event: Event, project: Project) -> _Draft:
    body = body_of(event)
    user = user_of(body)
    key = user_key(project_namespace(event.project), user) if user else None
    deployment = event.value("deployment_id")
    if deployment is None and (named := tag_of(body, "deployment")):
        deployment = entity_uuid(event.project, named)
    release = event.value("release") or body.get("release")
    environment = event.name(ENVIRONMENT) or body.get("environment")
    clue = Clue(project.id, deployment, release, environment)
    body = scrub(body, project.rules)
    grouping = group(body)
    signature = _archived(event) or UUID(hex=grouping.signature)
    severity = event.name(SEVERITY) or LEVELS.get(body.get("level", ""), _DEFAULT_SEVERITY)
    network = event.name(NETWORK) or _name(tag_of(body, "network"))
    names = {
        ERROR_TYPE: _clean(event.name(ERROR_TYPE)) or _name(grouping.error_type),
        SEVERITY: severity,
        ENVIRONMENT: _clean(environment),
        NETWORK: network and network.lower(),
        TEMPLATE: event.name(TEMPLATE) or _name(tag_of(body, "template")),
    }
    values = {
        "fingerprint_id": fingerprint_id(event.project, signature),
        "user_key": key,
        "release": _clean(release),
        "function": _clean(event.value("function")) or _name(tag_of(body, "function")),
        "deployment_id": deployment,
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
    return _Draft(_with(event, names, values, about), clue)


def _placed(draft: _Draft, origins: Sequence[Origin]) -> Event:
    """The event with what the deployment that it comes from tells, where it says nothing itself."""
    event = draft.event
    origin = origin_at(origins, event.occurred_at)
    if origin is None:
        return event
    found = {NETWORK: origin.network, TEMPLATE: origin.template}
    names = {each: event.name(each) or found.get(each) for each in event.fact.dimensions}
    values = dict(zip(event.fact.columns, event.values, strict=True))
    values["deployment_id"] = values["deployment_id"] or origin.deployment_id
    return _with(event, names, values, event.content)


def _with(
    event: Event,
    names: Mapping[Dimension, str | None],
    values: Mapping[str, Any],
    content: Description,
) -> Event:
    return replace(
        event,
        names=tuple(names[dimension] for dimension in event.fact.dimensions),
        values=tuple(values[column] for column in event.fact.columns),
        content=content,
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
