"""CDEvents, any version, that mean a deployment; the others are told apart and ignored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.aliases import TYPE_OF_WORD
from ingest.events import Code, Rejection
from ingest.formats.raw import Raw
from ingest.normaliser import FormatDetails
from ingest.times import read_time

_TYPE = re.compile(
    r"dev\.cdevents(?P<custom>x)?\.(?:(?P<tool>[a-z0-9]+)-)?"
    r"(?P<subject>[a-z0-9]+)\.(?P<predicate>[a-z0-9_]+)(?:\.v?[0-9][0-9a-z.+-]*)?",
    re.IGNORECASE | re.ASCII,
).fullmatch

_SERVICE = {
    "deployed": "succeeded",
    "upgraded": "succeeded",
    "published": "succeeded",
    "rolledback": "rolled_back",
}
_RUN = {"queued": "queued", "started": "started"}
_OUTCOME = {
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
    "cancel": "cancelled",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}

# Fields of ours that CDEvents have no place for; senders put them into customData.
_CUSTOM = ("network", "template", "framework", "actor", "durationMs", "toDeployment")

_NOT_OURS = {
    "environment": "Environments come into being with the first deployment that names them.",
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
    "project": "customData.project",
}
_SERVICE_PATHS = _PATHS | {"environment": "subject.content.environment.id"}
_RUN_PATHS = _PATHS | {"environment": "customData.environment", "type": "subject.content.outcome"}


@dataclass(frozen=True, slots=True)
class _CDEvent:
    """The parts of a CDEvent, absent ones empty."""

    context: Mapping[str, Any]
    subject: Mapping[str, Any]
    content: Mapping[str, Any]
    custom: Mapping[str, Any]
    project: Any


def is_cdevent_type(kind: str) -> bool:
    return kind.lower().startswith(("dev.cdevents.", "dev.cdeventsx."))


def is_cdevent(value: Mapping[str, Any]) -> bool:
    """Whether this is a CDEvent without a CloudEvent around it."""
    return isinstance(value.get("context"), dict) and isinstance(value.get("subject"), dict)


def read_cdevent(document: Mapping[str, Any], envelope: Mapping[str, Any]) -> Raw:
    """Map one CDEvent; the CloudEvent around it stands in for context that is missing."""
    event = _parts(document, envelope)
    kind = event.context.get("type")
    match = _TYPE(kind) if isinstance(kind, str) else None
    if match is None:
        return _refused(event, Code.UNKNOWN_TYPE, "is not a CDEvents type", "context.type")
    if refused := _wrong_context(event):
        return refused
    subject, predicate = match["subject"].lower(), match["predicate"].lower()
    if match["custom"]:
        return _custom(event, subject, predicate)
    if subject == "service" and predicate in _SERVICE:
        return _service(event, _SERVICE[predicate])
    is_run = subject in ("pipelinerun", "taskrun") and predicate in (*_RUN, "finished")
    if is_run and _name(event.custom.get("environment")):
        return _run(event, subject, predicate)
    message = _NOT_OURS.get(subject, "is known, but does not speak of a deployment")
    return _refused(event, Code.NOT_A_DEPLOYMENT, message, "context.type")


def _wrong_context(event: _CDEvent) -> Raw | None:
    """A refusal where what every CDEvent must say is missing or no time."""
    for name in ("id", "source"):
        if not event.context.get(name):
            return _refused(event, Code.MISSING_FIELD, "is required", f"context.{name}")
    if not isinstance(event.subject.get("id"), str) or not event.subject["id"].strip():
        return _refused(event, Code.MISSING_FIELD, "is required", "subject.id")
    time = event.context.get("timestamp")
    if time is not None and isinstance(problem := read_time(time), str):
        return _refused(event, Code.INVALID_TIME, problem, "context.timestamp")
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


def _name(value: Any) -> Any:
    """A reference is an object with an id, or in old versions and custom data just the id."""
    return value.get("id") if isinstance(value, dict) else value


def _refused(event: _CDEvent, code: Code, message: str, path: str) -> Raw:
    shown = event.context.get("id")
    text = message if message[0].isupper() else f"{path} {message}"
    return Raw.refused(Rejection(code, text, path, shown if isinstance(shown, str) else None))


def _fields(event: _CDEvent, kind: str) -> dict[str, Any]:
    told = {
        "cdevent": event.context["type"],
        "chainId": event.context.get("chainId"),
        "artifactId": event.content.get("artifactId"),
    }
    return {name: event.custom.get(name) for name in _CUSTOM} | {
        "id": event.context["id"],
        "source": event.context["source"],
        "time": event.context.get("timestamp"),
        "type": kind,
        "project": event.project,
        "attributes": {name: item for name, item in told.items() if item is not None},
    }


def _service(event: _CDEvent, kind: str) -> Raw:
    service = event.subject["id"].strip()
    fields = _fields(event, kind)
    fields["attributes"]["service"] = service
    fields["environment"] = _name(event.content.get("environment"))
    origin = FormatDetails(
        service, ids_within_source=True, paths=_SERVICE_PATHS, prefix="customData."
    )
    return Raw(fields, origin)


def _run(event: _CDEvent, subject: str, predicate: str) -> Raw:
    """A pipeline or task run that deploys: its id is the deployment's."""
    kind = _RUN.get(predicate)
    if predicate == "finished":
        outcome = event.content.get("outcome", event.subject.get("outcome"))
        kind = _OUTCOME.get(outcome) if isinstance(outcome, str) else None
    if kind is None:
        path = "subject.content.outcome"
        return _refused(event, Code.INVALID_VALUE, "does not say how the run stands", path)
    fields = _fields(event, kind) | {
        "deployment": f"{subject}/{event.subject['id'].strip()}",
        "environment": _name(event.custom["environment"]),
        "error": event.content.get("errors"),
    }
    return Raw(
        fields, FormatDetails(ids_within_source=True, paths=_RUN_PATHS, prefix="customData.")
    )


def _custom(event: _CDEvent, subject: str, predicate: str) -> Raw:
    """A tool's own `deployment` subject: predicates are our words, content holds our fields."""
    if subject != "deployment" or predicate not in TYPE_OF_WORD:
        message = "is a custom type; only <tool>-deployment with our event words is read"
        return _refused(event, Code.NOT_A_DEPLOYMENT, message, "context.type")
    content = {name: event.content[name] for name in (*_CUSTOM, "error") if name in event.content}
    fields = _fields(event, predicate) | content
    fields["deployment"] = event.subject["id"]
    fields["environment"] = _name(event.content.get("environment"))
    paths = _SERVICE_PATHS
    return Raw(
        fields, FormatDetails(ids_within_source=True, paths=paths, prefix="subject.content.")
    )
