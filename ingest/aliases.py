"""The names of fields and the event words that senders use, and their canonical forms."""

from storage.facts.deployments import EventType

FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "eventId", "event_id"),
    "type": ("type", "event", "eventType", "event_type"),
    "status": ("status", "state"),
    "time": ("time", "timestamp", "occurredAt", "occurred_at"),
    "project": ("project", "projectId", "project_id"),
    "deployment": ("deployment", "deploymentId", "deployment_id"),
    "environment": ("environment", "env"),
    "network": ("network", "chain"),
    "template": ("template", "templateId", "template_id"),
    "framework": ("framework",),
    "durationMs": ("durationMs", "duration_ms"),
    "actor": ("actor",),
    "toDeployment": ("toDeployment", "to_deployment"),
    "error": ("error", "errorMessage", "error_message"),
    "attributes": ("attributes", "metadata"),
    "source": ("source",),
}

FIELD_OF_NAME: dict[str, str] = {name: field for field, names in FIELDS.items() for name in names}

WORDS: dict[EventType, tuple[str, ...]] = {
    EventType.QUEUED: ("queued", "pending", "created", "waiting"),
    EventType.STARTED: ("started", "start"),
    EventType.PROGRESS: ("progress", "in_progress", "running", "building", "deploying"),
    EventType.SUCCEEDED: ("succeeded", "success", "successful", "deployed"),
    EventType.FAILED: ("failed", "failure", "error", "errored"),
    EventType.CANCELLED: ("cancelled", "canceled", "aborted"),
    EventType.ROLLED_BACK: ("rolled_back", "rolledback", "rollback"),
}

TYPE_OF_WORD: dict[str, EventType] = {word: kind for kind, words in WORDS.items() for word in words}

# The deployment is over; `status` has its outcome.
COMPLETED = frozenset({"completed", "complete", "finished", "ended"})

_PREFIXES = ("deployment.", "deployment_", "deployment-", "deployment:")


def is_word(text: str) -> bool:
    """Whether a text is a known event type."""
    word = plain_word(text)
    return word in TYPE_OF_WORD or word in COMPLETED


def plain_word(text: str) -> str:
    """The word without prefix, in lower case and with underscores."""
    word = text.strip().lower()
    if word.startswith(_PREFIXES):
        word = word[len("deployment.") :]
    return word.replace("-", "_").replace(" ", "_")
