"""Events of function invocations: their completion, and where sources report it their start."""

from ingest.wire.kinds import Choice, Duration, Flag, Identifier, Name
from ingest.wire.wire import Field, Wire
from storage.facts.fact import COMPLETION, START
from storage.facts.invocations import INVOCATIONS

_FAILED = {"succeeded": False, "success": False, "ok": False}
_FAILED |= {"failed": True, "error": True, "errored": True, "failure": True, "timeout": True}

WIRE = Wire(
    INVOCATIONS,
    prefix="function",
    types={COMPLETION: ("completed", "invoked", "finished"), START: ("started", "start")},
    subject="function",
    fields=(
        Field(
            "function",
            Name(),
            ("functionName", "functionId"),
            required=True,
            about="The function's name.",
        ),
        Field(
            "invocation",
            Identifier(),
            ("invocationId", "requestId"),
            fills="identity",
            about="The sender's id of the invocation, by which its start and its completion belong "
            "together; it takes the place of the id.",
        ),
        Field("runtime", Name(), about="The runtime, such as python3.12."),
        Field("region", Name(), about="The region in which it ran."),
        Field(
            "status",
            Choice(_FAILED),
            ("state",),
            fills="failed",
            default=False,
            about="How it ended; by default it was a success.",
        ),
        Field(
            "initMs",
            Duration(),
            fills="init_us",
            about="The time that the runtime took to start, in milliseconds.",
        ),
        Field(
            "coldStart",
            Flag(),
            default=False,
            about="Whether the runtime was started for it; by default false.",
        ),
    ),
)
