"""The stores of all facts with content, each declared once."""

from collections.abc import Mapping

from storage.error_groups import counting, recording
from storage.error_groups.tables import bodies
from storage.facts.content import ContentStore, Texts
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Fact
from storage.facts.log_lines import LOG_LINES
from storage.log_lines import recording as log_lines
from storage.log_lines.tables import log_texts

CONTENT_STORES: Mapping[Fact, ContentStore] = {
    ERROR_OCCURRENCES: ContentStore(
        recording.record, Texts((bodies.c.body,), bodies.c.search), counting.move
    ),
    LOG_LINES: ContentStore(
        log_lines.record, Texts((log_texts.c.message, log_texts.c.fields), log_texts.c.search)
    ),
}
