"""Events of model calls: each reports an answer of a language model."""

from ingest.wire.kinds import Duration, Flag, Integer, Name
from ingest.wire.wire import Field, Wire
from storage.facts.model_calls import MODEL_CALLS

_TOKENS = Integer(most=2**31 - 1)

WIRE = Wire(
    MODEL_CALLS,
    prefix="model",
    types={0: ("call", "called")},
    subject="model",
    fields=(
        Field("model", Name(), ("modelName",), required=True, about="The model's name."),
        Field("task", Name(), about="What it was called for, such as summary."),
        Field(
            "inputTokens",
            _TOKENS,
            ("promptTokens", "contextTokens"),
            about="The number of tokens that it was sent.",
        ),
        Field(
            "outputTokens",
            _TOKENS,
            ("completionTokens", "generatedTokens"),
            about="The number of tokens that it answered.",
        ),
        Field(
            "accepted",
            Flag(),
            about="Whether its answer was accepted; without it, nobody has decided.",
        ),
        Field(
            "durationMs",
            Duration(),
            ("latencyMs",),
            fills="duration_us",
            about="The latency: the time from the call to the whole answer, in milliseconds.",
        ),
    ),
)
