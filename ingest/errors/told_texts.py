"""The texts in which deployments, builds and functions tell why they failed."""

from dataclasses import replace

from ingest.errors.scrubbing import scrub_text
from ingest.events import Event

_COLUMN = "error"


def without_secrets(event: Event) -> Event:
    """The event, with the text of its error scrubbed; itself if there is nothing to remove.

    The same text gives the same one, so an event that comes again is still known. The id of an
    event without one is made of what its sender wrote, so it stays too.
    """
    if _COLUMN not in event.fact.columns or not (text := event.value(_COLUMN)):
        return event
    clean = scrub_text(text)
    if clean == text:
        return event
    place = event.fact.columns.index(_COLUMN)
    return replace(event, values=(*event.values[:place], clean, *event.values[place + 1 :]))
