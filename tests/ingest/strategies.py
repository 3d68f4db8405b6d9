"""Deployment events as hypothesis draws them: few moments, so that ties happen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from ingest.events import DeploymentEvent
from ingest.identity import deployment_uuid
from storage.facts.deployments import EventType

START = datetime(2026, 11, 1, 23, 58, tzinfo=UTC)


@st.composite
def deployment_events(
    draw: st.DrawFn, project: str = "shop", deployments: int = 1, start: datetime = START
) -> DeploymentEvent:
    """One event; its moment lies within two minutes of a midnight in UTC."""
    deployment = f"d{draw(st.integers(1, deployments))}"
    few = st.sampled_from
    return DeploymentEvent(
        event_id=UUID(int=draw(st.integers(1, 2**128 - 1))),
        project=project,
        deployment_id=deployment_uuid(project, deployment),
        deployment=deployment,
        type=draw(few(EventType)),
        occurred_at=start + timedelta(seconds=20 * draw(st.integers(0, 12))),
        environment=draw(few([None, "production", "staging"])),
        network=draw(few([None, "metis", "hyperion", "lazchain"])),
        template=draw(few([None, "erc20", "nft"])),
        framework=draw(few([None, "hardhat"])),
        duration_us=draw(few([None, 0, 1_000_000, 90_000_000])),
        actor=draw(few([None, "ada", "grace"])),
        error=draw(few([None, "out of gas"])),
        attributes=draw(few([None, {"commit": "abc"}])),
    )


@st.composite
def with_twins(
    draw: st.DrawFn, events: st.SearchStrategy[DeploymentEvent]
) -> list[DeploymentEvent]:
    """Events of which some have the id and time of others, but different contents."""
    drawn = draw(st.lists(events, min_size=1, max_size=25, unique_by=lambda each: each.event_id))
    sent = list(drawn)
    for other in draw(st.lists(events, max_size=12)):
        twin = draw(st.sampled_from(drawn))
        sent.append(replace(other, event_id=twin.event_id, occurred_at=twin.occurred_at))
    return sent
