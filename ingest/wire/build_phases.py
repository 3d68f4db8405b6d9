"""Events of the phases of builds: each reports a phase that ended."""

from ingest.wire.kinds import Choice, Name, Reference
from ingest.wire.wire import WORDS, Field, Wire
from storage.facts.build_phases import BUILD_PHASES, PhaseStatus
from storage.facts.lifecycle import EventType

_STATUSES = {
    word: int(PhaseStatus[type_.name])
    for type_ in (EventType.SUCCEEDED, EventType.FAILED, EventType.CANCELLED)
    for word in WORDS[type_]
}

WIRE = Wire(
    BUILD_PHASES,
    prefix="build",
    types={0: ("phase",)},
    subject="build",
    fields=(
        Field(
            "build",
            Reference(),
            ("buildId",),
            fills="build_id",
            required=True,
            about="The sender's id of the build.",
        ),
        Field("phase", Name(), required=True, about="The phase, such as clone or install."),
        Field(
            "status",
            Choice(_STATUSES),
            ("state",),
            default=int(PhaseStatus.SUCCEEDED),
            about="How it ended; by default it succeeded.",
        ),
    ),
)
