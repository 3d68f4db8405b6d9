"""Why an alert fired or did not, when one would have fired, and presets to begin with."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from alerts import presets
from analytics.periods import Duration
from resolvers import alert_previews
from resolvers.alert_nodes import labels_of
from resolvers.pages import page_size
from schema.declarations import EVERY_FACT, STATEMENT, field, typed
from schema.figures.ranges import UTC, RangeArgument, TimeSpan, to_range
from schema.info import Info
from schema.things.alert_enums import AlertSeverity, AlertState, AlertTransition
from schema.things.alert_inputs import AlertTriggerInput, trigger_of
from schema.things.alert_rules import AlertTrigger, duration
from schema.things.alert_rules import trigger_of as shown_trigger
from schema.things.alerts import AlertEvent, AlertEvidence, AlertLabel, FirstOf
from schema.things.given import read

Previewed = strawberry.Parent[alert_previews.Preview]
Preset = strawberry.Parent[presets.Preset]


@strawberry.type(description="An instance of an alert at a moment.")
class AlertExplainedInstance:
    name: str = read("The name among the alert's instances; empty for the one without groups.")
    labels: list[AlertLabel] = read("The names of its group, by dimension.")
    state: AlertState = read("The state then, by its history.")
    sentence: str = read("Why it fired or did not, in a sentence.")
    stored: AlertEvent | None = read(
        "What last happened to it until then, with the evidence stored at the time; null if "
        "nothing did."
    )
    recomputed: AlertEvidence | None = read(
        "What is found of that moment now, also from events that came later; null for alerts on "
        "what happens, and for groups that no longer are."
    )


@strawberry.type(description="Why an alert fired at a moment, or did not.")
class AlertExplanation:
    at: datetime = read("The moment.")
    revision: int | None = read("The alert's revision then; null if there was none.")
    notes: list[str] = read("What else decides, in sentences: that it was off, or is coarser.")
    instances: list[AlertExplainedInstance] = read("Its instances, those that fired first.")


@strawberry.type(description="A time that an instance would have fired.")
class AlertPreviewFiring:
    labels: list[AlertLabel] = read("The names of its group, by dimension.")
    fired_at: datetime = read("When it would have fired.")
    ended_at: datetime | None = read("When it would have ended; null if it still fired at the end.")
    ended_by: Any = typed(
        AlertTransition | None, "How it would have ended; null if it still fired at the end."
    )
    told: bool = read("True if people would have been told; false once it flaps.")
    evidence: AlertEvidence = read("What would have been found when it fired.")


@strawberry.type(description="What an alert would have done.")
class AlertPreview:
    range: TimeSpan = read("The part of the range whose data is stored.")
    pages: int = read("How often people would have been told that something is wrong.")
    notes: list[str] = read("Where it is coarser than a live alert, or leaves out, in sentences.")
    left_out: int = read("How many groups or occurrences there are beyond those an alert watches.")

    @strawberry.field(
        description="The time between two evaluations, which live is ten seconds; of alerts on "
        "what happens, how exactly the times are known."
    )
    def step(self, parent: Previewed) -> Duration:
        return Duration.of_seconds(int(parent.step.total_seconds()))

    @strawberry.field(description="How often an instance would have fired, told or not.")
    def firing_count(self, parent: Previewed) -> int:
        return len(parent.firings)

    @strawberry.field(description="For how long any instance would have fired; null if none.")
    def firing_for(self, parent: Previewed) -> Duration | None:
        return duration(int(parent.firing_for.total_seconds()))

    @strawberry.field(description="The times that it would have fired, oldest first.")
    def firings(self, parent: Previewed, first: FirstOf = 20) -> list[AlertPreviewFiring]:
        return parent.firings[: page_size(first)]  # type: ignore[return-value]


@strawberry.type(description="An alert that most people want, with its usual numbers.")
class AlertPreset:
    name: str = read("The name.")
    title: str = read("A name for the alert.")
    description: str = read("When it fires.")
    channel_kinds: list[str] = read("The kinds of channels that suit it; may be empty.")
    of_project: bool = read("True if a project can have it; the platform can have all.")

    @strawberry.field(description="How bad it is when it fires.", graphql_type=AlertSeverity)
    def severity(self, parent: Preset) -> Any:
        return parent.severity

    @strawberry.field(description="What makes it fire.")
    def trigger(self, parent: Preset) -> AlertTrigger:
        return shown_trigger(parent.rule().trigger)

    @strawberry.field(description="Labels that travel with each message.")
    def labels(self, parent: Preset) -> list[AlertLabel]:
        return labels_of(parent.labels)  # type: ignore[return-value]

    @strawberry.field(description="Whether a new project has it from the start.")
    def of_new_projects(self, parent: Preset) -> bool:
        return parent in presets.OF_NEW_PROJECTS


@strawberry.type
class AlertPreviewQueries:
    @field(
        Permission.READ,
        "When an alert would have fired, and how often people would have been told; null on error. "
        "Measures of the last 48 hours are evaluated each minute, before that each hour; what runs "
        "or expires each minute.",
        kept=True,
        facts=EVERY_FACT,
        weight=5 * STATEMENT,
    )
    async def alert_preview(
        self,
        info: Info,
        trigger: Annotated[AlertTriggerInput, strawberry.argument("What makes it fire.")],
        project: Annotated[
            str | None,
            strawberry.argument(
                "The slug of the project; the platform by default, which needs the role admin."
            ),
        ] = None,
        range: RangeArgument = None,
    ) -> AlertPreview | None:
        span = to_range(info.context, range, UTC)
        return await alert_previews.preview(info.context, project, trigger_of(trigger), span)  # type: ignore[return-value]

    @field(
        Permission.READ, "Alerts to begin with.", kept=True, facts=(), items=len(presets.PRESETS)
    )
    def alert_presets(self) -> list[AlertPreset]:
        return list(presets.PRESETS.values())  # type: ignore[arg-type]
