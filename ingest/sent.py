"""What a request sent: its events, which are read when it is their turn."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from access.viewers import Viewer
from ingest.formats.raw import Unchecked
from ingest.normaliser import TimeWindow, normalise
from ingest.results import Read

# After this many events the event loop gets a turn, so that a large body delays nobody else.
_EVENTS_PER_TURN = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """The events of a request; `parse` takes them from its body."""

    parse: Callable[[], Sequence[Unchecked]]
    size_bytes: int
    viewer: Viewer
    window: TimeWindow
    default_project: str | None

    async def read(self) -> list[Read]:
        """The events in canonical form, or why one is rejected; raises what `parse` raises."""
        read: list[Read] = []
        for index, raw in enumerate(self.parse(), start=1):
            read.append(normalise(raw, self.window, self.default_project))
            if index % _EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)
        return read


def default_project(headers: Mapping[str, str], viewer: Viewer) -> str | None:
    """The project of events that name none: that of `X-Project`, or the viewer's only one."""
    for name, value in headers.items():
        if name.lower() == "x-project" and value.strip():
            return value.strip()
    return next(iter(viewer.project_slugs)) if len(viewer.project_slugs) == 1 else None
