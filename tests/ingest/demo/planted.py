"""What is planted among the demo's errors: whom each incident concerns, and what brought it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingest.demo.cast import HYPERION, METIS, OUTAGE_ERROR, PRODUCTION, UNFIT_ERROR
from ingest.demo.story import (
    BROKEN_PROJECT,
    FAULTY_PROJECT,
    RETURNING_PROJECT,
    UNFIT_TEMPLATE,
    Period,
    Story,
)
from tests.ingest.demo.made import Event, of_type, time_of


@dataclass(frozen=True)
class Planted:
    """An incident: its errors have this type and this beginning of their message.

    `projects` are those in which they occur, if they are not the errors of one project. One network
    or template explains them, or a deployment brought them.
    """

    type: str
    message: str
    period: Period
    project: str | None = None
    deployment: str | None = None
    network: str | None = None
    template: str | None = None
    projects_at_least: int = 1


def planted(events: Iterable[Event], now: datetime) -> dict[str, Planted]:
    """The incidents in these events, which are those of a demo made at that time."""
    story = Story.at(now)
    return {
        "new": Planted(
            "TypeError",
            "Cannot read properties of null (reading 'total')",
            story.faulty_release,
            FAULTY_PROJECT,
            deployment=_released(events, FAULTY_PROJECT, story.faulty_release.start),
        ),
        "spike": Planted(
            "ExchangeUnavailableError",
            "Exchange did not answer request",
            story.broken_hour,
            BROKEN_PROJECT,
        ),
        "returned": Planted(
            "StaleSessionError",
            "Session",
            story.returned,
            RETURNING_PROJECT,
            deployment=_released(events, RETURNING_PROJECT, story.returned.start),
        ),
        "outage": Planted(
            "DeploymentFailed", OUTAGE_ERROR, story.outage, network=HYPERION, projects_at_least=6
        ),
        "unfit": Planted(
            "DeploymentFailed",
            UNFIT_ERROR,
            story.unfit_template,
            network=METIS,
            template=UNFIT_TEMPLATE,
            projects_at_least=6,
        ),
    }


def _released(events: Iterable[Event], project: str, at: datetime) -> str:
    """The deployment of a project that succeeded about this time."""
    gaps = {
        abs(time_of(event) - at): event["deployment"]
        for event in of_type(events, "deployment.succeeded")
        if (event["project"], event["environment"]) == (project, PRODUCTION)
    }
    deployment: str = gaps[min(gaps)]
    return deployment
