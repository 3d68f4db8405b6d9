"""Samples: the values of metrics as they were sent."""

import strawberry

from resolvers import events
from schema.nodes import instances_of
from schema.things.event_rows import NO_NAME, Reported


@strawberry.type(description="A label of a sample: a text by its name.")
class Label:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The text.")

    is_type_of = instances_of(events.Label)


@strawberry.type(description="A value of a metric at a moment.")
class Sample(Reported):
    metric: str | None = strawberry.field(
        description="The metric; null if the project has too many."
    )
    value: float = strawberry.field(description="The value, in the unit of the metric.")
    labels: list[Label] = strawberry.field(description="The labels, by name.")
    label_set: str | None = strawberry.field(
        description=f"The labels as filters take them, such as `core=0,mode=idle`; {NO_NAME}"
    )

    is_type_of = instances_of(events.Sample)
