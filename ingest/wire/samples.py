"""Events of samples: each reports a value of a metric."""

from ingest.wire.kinds import Labels, Name, Number
from ingest.wire.wire import Field, Wire
from storage.facts.samples import LARGEST, PER_UNIT, SAMPLES

WIRE = Wire(
    SAMPLES,
    prefix="metric",
    types={0: ("sample", "sampled")},
    subject="metric",
    fields=(
        Field(
            "metric",
            Name(),
            ("metricName",),
            required=True,
            about="The metric's name, with its unit: such as system_memory_usage_bytes.",
        ),
        Field(
            "value",
            Number(LARGEST, PER_UNIT),
            required=True,
            about="The value: of a gauge what it shows, of a counter what was added since the last "
            "sample. It is rounded to nine decimal places.",
        ),
        Field(
            "labels",
            Labels(),
            ("labelSet", "tags"),
            fills="label_set",
            about="What the value is of: an object with up to four texts by name.",
        ),
    ),
)
