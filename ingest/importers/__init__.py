"""The data sets that `gateway import` loads; their events are recorded as any others."""

from typing import Any

from ingest.importers.api_calls import APACHE, AZURE_LLM, HAR
from ingest.importers.catalogues import NETWORKS, TEMPLATES
from ingest.importers.devlake import DEVLAKE
from ingest.importers.errors import GLITCHTIP
from ingest.importers.govuk import GOVUK
from ingest.importers.importer import Imported, Importer, Options
from ingest.importers.kafka import KAFKA, KAFKA_LOGS
from ingest.importers.lambda_perf import LAMBDA_PERF
from ingest.importers.lrts import LRTS
from ingest.importers.treeherder import TASKCLUSTER, TREEHERDER
from ingest.importers.uptime import UPTIME

__all__ = ["IMPORTERS", "Imported", "Importer", "Options"]

_SETS = (
    *(TEMPLATES, NETWORKS),
    *(GOVUK, DEVLAKE),
    *(LRTS, TREEHERDER, TASKCLUSTER),
    *(LAMBDA_PERF, AZURE_LLM, HAR, APACHE),
    *(GLITCHTIP, KAFKA, KAFKA_LOGS),
    UPTIME,
)
IMPORTERS: dict[str, Importer[Any]] = {importer.name: importer for importer in _SETS}
