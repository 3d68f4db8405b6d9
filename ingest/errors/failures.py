"""Makes occurrences of the error texts of failed deployments and builds."""

from uuid import uuid5

from ingest.events import Event
from storage.dimensions import ENVIRONMENT, ERROR_TYPE, NETWORK, TEMPLATE, Dimension
from storage.facts.builds import BUILDS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import COMPLETION
from storage.facts.lifecycle import EventType

# The types of the errors that tell of a failed entity.
_TYPES = {DEPLOYMENTS: "DeploymentFailed", BUILDS: "BuildFailed"}


def occurrence_of(event: Event) -> Event | None:
    """The occurrence that a failure with an error text is; its id follows from the event's."""
    kind = _TYPES.get(event.fact)  # type: ignore[call-overload]
    if kind is None or event.type != EventType.FAILED or not event.value("error"):
        return None
    named = {
        each: event.name(each) for each in (ENVIRONMENT, NETWORK, TEMPLATE) if _has(event, each)
    }
    named[ERROR_TYPE] = kind
    fact = ERROR_OCCURRENCES
    values = dict.fromkeys(fact.columns)
    if event.fact is DEPLOYMENTS:
        values |= {"release": event.value("release"), "deployment_id": event.entity_id}
    return Event(
        fact=fact,
        type=COMPLETION,
        event_id=uuid5(event.event_id, "error"),
        project=event.project,
        occurred_at=event.occurred_at,
        names=tuple(named.get(each) for each in fact.dimensions),
        values=tuple(values[column] for column in fact.columns),
        content=dict.fromkeys(fact.content.names) | {"message": event.value("error")},
    )


def _has(event: Event, dimension: Dimension) -> bool:
    return dimension in event.fact.dimensions
