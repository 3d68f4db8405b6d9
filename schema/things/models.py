"""Language models of a project, and their calls."""

from typing import Any

import strawberry

from resolvers import events, names
from schema.figures.fields import with_statistics
from schema.nodes import instances_of
from schema.things.event_rows import NO_NAME
from schema.things.functions import Called, CallRow
from schema.things.given import given
from storage.dimensions import MODEL, PROJECT
from storage.facts.model_calls import MODEL_CALLS


@strawberry.type(description="A language model that a project calls.")
@with_statistics({PROJECT: "project_id", MODEL: "number"})
class Model(Called):
    is_type_of = instances_of(names.Model)


@strawberry.type(description="An answer of a language model.")
class ModelCall(CallRow):
    model: Model | None = strawberry.field(description=f"The model; {NO_NAME}")
    task: str | None = strawberry.field(description=f"What it was called for; {NO_NAME}")
    input_tokens: Any = given(MODEL_CALLS, "input_tokens")
    output_tokens: Any = given(MODEL_CALLS, "output_tokens")
    accepted: bool | None = strawberry.field(
        description="Whether the answer was accepted; null if nobody has decided."
    )

    is_type_of = instances_of(events.ModelCall)
