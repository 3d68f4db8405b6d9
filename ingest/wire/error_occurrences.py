"""Events of errors: each reports one that occurred."""

from ingest.events import MAX_ACTOR_LENGTH
from ingest.wire.kinds import Attributes, Choice, Identifier, Name, Payload, Reference, Text, Texts
from ingest.wire.wire import Archived, Field, Wire
from storage.error_groups.tables import SEVERITIES
from storage.facts.error_occurrences import ERROR_OCCURRENCES

# The levels of SDKs, with the severity that each stands for.
LEVELS = {
    **{severity: severity for severity in SEVERITIES},
    **dict.fromkeys(("debug", "info", "log", "sample"), "low"),
    **dict.fromkeys(("warning", "warn"), "medium"),
    "error": "high",
    "fatal": "critical",
}

# Without a body, the message is in the title, in which its type stands first.
_MESSAGE = (
    "case when body.body is not null or print.title = print.error_type then null"
    " when starts_with(print.title, print.error_type || ': ')"
    " then substr(print.title, length(print.error_type) + 3) else print.title end"
)

WIRE = Wire(
    ERROR_OCCURRENCES,
    prefix="error",
    types={0: ("occurred", "raised", "captured")},
    subject="errorType",
    fields=(
        Field(
            "errorType",
            Name(),
            ("exceptionType",),
            about="The type, such as ValueError; by default that of the payload.",
        ),
        Field("message", Text(), about="What went wrong."),
        Field(
            "severity",
            Choice(LEVELS),
            ("level",),
            about="How bad it is; by default that of the payload, else high.",
        ),
        Field("network", Name(lower=True), ("chain",), about="The network's name."),
        Field("release", Name(), ("version",), about="The release of the program."),
        Field("function", Name(), ("functionName",), about="The function in which it occurred."),
        Field(
            "deployment",
            Reference(),
            ("deploymentId",),
            fills="deployment_id",
            about="The sender's id of the deployment; by default that of the release.",
        ),
        Field(
            "user",
            Identifier(MAX_ACTOR_LENGTH),
            ("userId",),
            about="The id of the user who met it; only a hash of it is stored.",
        ),
        Field("stackTrace", Text(), about="The stack trace, as its language prints it."),
        Field("culprit", Name(), ("transaction",), about="Where it occurred, such as a route."),
        Field("fingerprint", Texts(), about="What it is grouped by, instead of its stack trace."),
        Field(
            "signature",
            Text(),
            about="The signature of an archived one; by default of its grouping.",
        ),
        Field("tags", Attributes(), about="Texts by name to find it by: a JSON object."),
        Field(
            "payload",
            Payload(),
            about="An event as the SDKs of Sentry send it; the other fields win over what it says.",
        ),
    ),
    archived=Archived(
        {
            "user": "'user:' || lpad(to_hex(event.user_key), 16, '0')",
            "signature": "print.signature",
            "payload": "body.body",
            "message": _MESSAGE,
        },
        "left join error_fingerprints as print using (project_id, fingerprint_id)\n"
        "left join error_bodies as body on body.project_id = event.project_id"
        " and body.occurred_at = event.occurred_at and body.event_id = event.event_id\n",
    ),
)
