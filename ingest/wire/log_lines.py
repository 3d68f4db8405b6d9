"""Events of log lines: each reports one."""

from ingest.wire.kinds import Attributes, Choice, Name, Reference, Text
from ingest.wire.wire import Archived, Field, Wire
from storage.facts.log_lines import LOG_LINES, Level

# The words that loggers use, with the level of each.
LEVELS = {
    **{level.name.lower(): int(level) for level in Level},
    **dict.fromkeys(("verbose", "silly", "finest", "finer"), int(Level.TRACE)),
    "fine": int(Level.DEBUG),
    **dict.fromkeys(("information", "informational", "notice", "log"), int(Level.INFO)),
    "warning": int(Level.WARN),
    **dict.fromkeys(("err", "severe"), int(Level.ERROR)),
    **dict.fromkeys(("critical", "crit", "alert", "emerg", "emergency", "panic"), int(Level.FATAL)),
}

WIRE = Wire(
    LOG_LINES,
    prefix="log",
    types={0: ("line", "logged")},
    subject="logger",
    fields=(
        Field("message", Text(), about="What the line says."),
        Field(
            "level",
            Choice(LEVELS),
            ("severity", "severityText"),
            default=int(Level.INFO),
            about="How bad it is; by default info.",
        ),
        Field("logger", Name(), ("loggerName",), about="What wrote it, such as a module."),
        Field("fields", Attributes(), ("attributes", "extra"), about="Values by name: an object."),
        Field("function", Name(), ("functionName",), about="The function that wrote it."),
        Field("traceId", Name(64, lower=True), about="The id of the trace that it is part of."),
        Field("spanId", Name(64, lower=True), about="The id of the span that it is part of."),
        Field("release", Name(), ("version",), about="The release of the program."),
        Field(
            "deployment",
            Reference(),
            ("deploymentId",),
            fills="deployment_id",
            about="The sender's id of the deployment; by default that of the release.",
        ),
    ),
    archived=Archived(
        {"message": "text.message", "fields": "text.fields"},
        "left join log_texts as text on text.project_id = event.project_id"
        " and text.occurred_at = event.occurred_at and text.event_id = event.event_id\n",
    ),
)
