"""All facts, each declared once."""

from storage.facts.api_calls import API_CALLS
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.builds import BUILDS
from storage.facts.certificates import CERTIFICATES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.facts.log_lines import LOG_LINES
from storage.facts.model_calls import MODEL_CALLS
from storage.facts.samples import SAMPLES

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        DEPLOYMENTS,
        BUILDS,
        BUILD_PHASES,
        INVOCATIONS,
        API_CALLS,
        ERROR_OCCURRENCES,
        MODEL_CALLS,
        SAMPLES,
        LOG_LINES,
        CERTIFICATES,
    )
}
