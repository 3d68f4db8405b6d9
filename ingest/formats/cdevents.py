"""CDEvents of any version: those about what is stored are read, the others are ignored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ingest import services
from ingest.events import Code, Rejection
from ingest.formats.raw import FormatDetails, Raw, Unchecked, rejected
from ingest.times import read_time
from ingest.wire import WIRES, event_kind
from ingest.wire.wire import ATTRIBUTES_FIELD, ENVIRONMENT_FIELD, Wire

_TYPE = re.compile(
    r"dev\.cdevents(?P<custom>x)?\.(?:(?P<tool>[a-z0-9]+)-)?"
    r"(?P<subject>[a-z0-9]+)\.(?P<predicate>[a-z0-9_]+)(?:\.v?[0-9][0-9a-z.+-]*)?",
    re.IGNORECASE | re.ASCII,
).fullmatch

_SERVICE = {
    "deployed": "deployment.succeeded",
    "upgraded": "deployment.succeeded",
    "published": "deployment.succeeded",
    "rolledback": "deployment.rolled_back",
}
# Subjects that run, and the entity that a run is.
_RUNS = {"pipelinerun": "deployment", "taskrun": "deployment", "build": "build"}
_RUN = ("queued", "started", "finished")
_OUTCOME = {
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
    "cancel": "cancelled",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_NOT_OURS = "is a CDEvents type, but not about anything that is stored"
_IGNORED = {
    "environment": "Environments come into being with the first event that names them.",
    "service": "The removal of a service changes none of its deployments.",
    "pipelinerun": "A run is a deployment only if customData.environment says where to.",
    "taskrun": "A run is a deployment only if customData.environment says where to.",
}

_PATHS = {
    "id": "context.id",
    "source": "context.source",
    "time": "context.timestamp",
    "type": "context.type",
    "deployment": "subject.id",
    "build": "subject.id",
    "project": "customData.project",
}
_SERVICE_DETAILS = FormatDetails(
    required=services.REQUIRED,
    adapted=services.of_service,
    ids_within_source=True,
    paths=_PATHS | {"environment": "subject.content.environment.id"},
    prefix="customData.",
)
_CUSTOM_DETAILS = replace(_SERVICE_DETAILS, required=(), adapted=None, prefix="subject.content.")
_RUN_DETAILS = FormatDetails(
    ids_within_source=True,
    paths=_PATHS | {"environment": "customData.environment", "type": "subject.content.outcome"},
    prefix="customData.",
)


@dataclass(frozen=True, slots=True)
class _CDEvent:
    """The parts of a CDEvent, absent ones empty."""

    context: Mapping[str, Any]
    subject: Mapping[str, Any]
    content: Mapping[str, Any]
    custom: Mapping[str, Any]
    project: Any


def is_cdevent(value: Mapping[str, Any]) -> bool:
    """Whether this is a CDEvent without a CloudEvent around it."""
    return isinstance(value.get("context"), dict) and isinstance(value.get("subject"), dict)


def read_cdevent(document: Mapping[str, Any]) -> Unchecked:
    """Reads a CDEvent without a CloudEvent around it."""
    return _read(_parts(document, {}))


def read_cdevent_data(document: Mapping[str, Any], envelope: Mapping[str, Any]) -> Unchecked | None:
    """Reads the data of a CloudEvent; None unless it is a CDEvent.

    The envelope stands in for missing context; both must give the same type.
    """
    outer, inner = envelope["type"], _object(document, "context").get("type")
    if isinstance(inner, str) and inner.lower() != outer.lower():
        if not _is_cdevents_type(inner) and not _is_cdevents_type(outer):
            return None
        message = "context.type contradicts the type of the CloudEvent"
        return rejected(Code.CONFLICTING_FIELDS, message, "context.type", envelope["id"])
    return _read(_parts(document, envelope)) if _is_cdevents_type(outer) else None


def _is_cdevents_type(kind: str) -> bool:
    return kind.lower().startswith(("dev.cdevents.", "dev.cdeventsx."))


def _read(event: _CDEvent) -> Unchecked:
    kind = event.context.get("type")
    match = _TYPE(kind) if isinstance(kind, str) else None
    if match is None:
        return _rejected(event, Code.UNKNOWN_TYPE, "is not a CDEvents type", "context.type")
    if rejection := _check_context(event):
        return rejection
    subject, predicate = match["subject"].lower(), match["predicate"].lower()
    if match["custom"]:
        return _read_custom(event, subject, predicate)
    if subject == "service" and predicate in _SERVICE:
        return _read_service(event, _SERVICE[predicate])
    if subject in _RUNS and predicate in _RUN:
        return _read_run(event, subject, predicate)
    return _ignored(event, subject)


def _ignored(event: _CDEvent, subject: str) -> Rejection:
    message = _IGNORED.get(subject, _NOT_OURS)
    return _rejected(event, Code.NOT_RELEVANT, message, "context.type")


def _check_context(event: _CDEvent) -> Rejection | None:
    """Returns a rejection if a required field is missing or the time is invalid."""
    for name in ("id", "source"):
        if not event.context.get(name):
            return _rejected(event, Code.MISSING_FIELD, "is required", f"context.{name}")
    if not isinstance(event.subject.get("id"), str) or not event.subject["id"].strip():
        return _rejected(event, Code.MISSING_FIELD, "is required", "subject.id")
    time = event.context.get("timestamp")
    if time is not None and isinstance(problem := read_time(time), str):
        return _rejected(event, Code.INVALID_TIME, problem, "context.timestamp")
    return None


def _parts(document: Mapping[str, Any], envelope: Mapping[str, Any]) -> _CDEvent:
    outer = {
        "id": envelope.get("id"),
        "source": envelope.get("source"),
        "type": envelope.get("type"),
        "timestamp": envelope.get("time"),
    }
    inner = {name: item for name, item in _object(document, "context").items() if item is not None}
    subject, custom = _object(document, "subject"), _object(document, "customData")
    project = envelope.get("project") or custom.get("project")
    return _CDEvent(outer | inner, subject, _object(subject, "content"), custom, project)


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _id(value: Any) -> Any:
    """The id of a reference: an object with an id, or in old versions and customData the id."""
    return value.get("id") if isinstance(value, dict) else value


def _rejected(event: _CDEvent, code: Code, message: str, path: str) -> Rejection:
    text = message if message[0].isupper() else f"{path} {message}"
    return rejected(code, text, path, event.context.get("id"))


def _fields(event: _CDEvent, wire: Wire, kind: str, environment: Any) -> dict[str, Any]:
    attributes = {
        "cdevent": event.context["type"],
        "chainId": event.context.get("chainId"),
        "artifactId": event.content.get("artifactId"),
    }
    return _own(wire, event.custom) | {
        "id": event.context["id"],
        "source": event.context["source"],
        "time": event.context.get("timestamp"),
        "type": kind,
        "project": event.project,
        "environment": _id(environment),
        "attributes": {name: item for name, item in attributes.items() if item is not None},
    }


def _own(wire: Wire, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields that CDEvents lack."""
    known = (*ENVIRONMENT_FIELD.names, *ATTRIBUTES_FIELD.names, *wire.subject.names)
    return {
        name: item for name, item in values.items() if name in wire.own_names and name not in known
    }


def _read_service(event: _CDEvent, type_: str) -> Unchecked:
    wire = WIRES[services.ENTITY.name]
    fields = _fields(event, wire, type_, event.content.get("environment"))
    fields["deployment"] = fields["attributes"]["service"] = event.subject["id"].strip()
    return Raw(fields, _SERVICE_DETAILS)


def _read_run(event: _CDEvent, subject: str, predicate: str) -> Unchecked:
    """Reads a build, or a run that deploys: a run's id is the deployment's."""
    entity, is_build = _RUNS[subject], subject == "build"
    if not is_build and not _id(event.custom.get("environment")):
        return _ignored(event, subject)
    word = predicate
    if predicate == "finished":
        outcome = event.content.get("outcome", event.subject.get("outcome"))
        if is_build:  # CDEvents report the artifact of a build, not its outcome
            outcome = outcome or event.custom.get("outcome", "success")
        if not isinstance(outcome, str) or outcome not in _OUTCOME:
            path = "subject.content.outcome"
            return _rejected(event, Code.INVALID_VALUE, "does not say how the run ended", path)
        word = _OUTCOME[outcome]
    name, environment = event.subject["id"].strip(), event.custom.get("environment")
    fields = _fields(event, WIRES[entity], f"{entity}.{word}", environment) | {
        entity: name if is_build else f"{subject}/{name}",
        "error": event.content.get("errors"),
    }
    return Raw(fields, _RUN_DETAILS)


def _read_custom(event: _CDEvent, subject: str, predicate: str) -> Unchecked:
    """Reads a tool's own type of event, whose content has the plain format's fields."""
    kind = event_kind(f"{subject}.{predicate}")
    if kind is None:
        message = "is a custom type; only <tool>-<type> with a known event type is read"
        return _rejected(event, Code.NOT_RELEVANT, message, "context.type")
    fields = _fields(event, kind.wire, f"{subject}.{predicate}", None)
    fields |= _own(kind.wire, event.content)
    fields["environment"] = _id(event.content.get("environment"))
    fields[kind.wire.subject.name] = event.subject["id"]
    return Raw(fields, _CUSTOM_DETAILS)
