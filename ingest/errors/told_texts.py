"""Texts of deployments, builds and functions: why they failed, and where their source is."""

from dataclasses import replace
from functools import lru_cache

from ingest.events import Event
from ingest.scrubbing import scrub_text

# The address of a repository may have a token in it.
_COLUMNS = ("error", "repository")


def has_texts(event: Event) -> bool:
    return any(event.values[place] for place in _places(event.fact.columns))


def without_secrets(event: Event) -> Event:
    """The event, with its texts scrubbed; itself if there is nothing to remove.

    The same text gives the same one, so an event that comes again is still known. The id of an
    event without one is made of what its sender wrote, so it stays too.
    """
    values = list(event.values)
    for place in _places(event.fact.columns):
        if values[place]:
            values[place] = scrub_text(values[place])
    clean = tuple(values)
    return event if clean == event.values else replace(event, values=clean)


@lru_cache
def _places(columns: tuple[str, ...]) -> list[int]:
    return [place for place, name in enumerate(columns) if name in _COLUMNS]
