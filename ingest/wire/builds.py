"""Events of builds."""

from ingest.wire.kinds import Identifier, Integer, Name
from ingest.wire.wire import Field, entity_wire
from storage.facts.builds import BUILDS

WIRE = entity_wire(
    BUILDS,
    (
        Field(
            "deployment",
            Identifier(),
            ("deploymentId",),
            about="The sender's id of the deployment that it is part of.",
        ),
        Field("branch", Name(), about="The branch that is built."),
        Field("commit", Name(), about="The commit that is built."),
        Field("assetCount", Integer(most=2**31 - 1), about="The number of files that it made."),
        Field(
            "totalBytes",
            Integer(),
            ("totalSizeBytes",),
            about="The size of these files, in bytes.",
        ),
        Field("cpuMs", Integer(), about="The processor time that it took, in milliseconds."),
    ),
)
