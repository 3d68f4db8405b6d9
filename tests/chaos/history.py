"""A history of all facts: their events in a shuffled, repeating order, as a sender sends them."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ingest.wire import WIRES
from storage.facts import FACTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import COMPLETION, Append, Entity, Fact
from tests.ingest.stories import Event, names, occurrences, story

PROJECTS = 12
REPEATED = 0.15
# Of starts that have an end, so many never get it.
UNENDED = 0.1
# So many stories are of the last minutes, so that what has started may still run.
RECENT = 0.3


class History:
    """Stories as they are made up, and their events in the order in which they are sent."""

    def __init__(self, sender: str, seed: int) -> None:
        self._sender = sender
        self._random = random.Random(seed)
        self._stories = 0
        self._waiting: list[Event] = []
        self.events: list[Event] = []
        self.stored: Counter[str] = Counter()  # the events that are stored, by fact

    def batches(self, size: int) -> Iterator[list[Event]]:
        """Batches without end; what is held back comes later, some of it twice."""
        while True:
            for _ in range(size // 3):
                self._waiting += self._make()
            self._random.shuffle(self._waiting)
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            self._waiting += [event for event in batch if self._random.random() < REPEATED]
            yield batch

    def rest(self) -> list[Event]:
        """The events that have not been sent yet."""
        rest, self._waiting = self._waiting, []
        return rest

    def _make(self) -> list[Event]:
        fact = self._random.choice(tuple(FACTS.values()))
        common = {
            "project": f"project-{self._stories % PROJECTS}",
            **names(fact, self._random),
        }
        name = f"{self._sender}-{self._stories}"
        if "deployment_id" in fact.columns:  # else it is that of its release, if that came before
            common["deployment"] = name
        self._stories += 1
        events = story(fact, self._random, name, common, self._moment())
        if isinstance(fact, Append) and len(events) > 1 and self._random.random() < UNENDED:
            del events[-1]
        self.events += events
        self.stored[fact.name] += sum(_is_stored(fact, event) for event in events)
        self.stored[ERROR_OCCURRENCES.name] += len(occurrences(events))
        return events

    def _moment(self) -> datetime:
        pick = self._random
        minutes = pick.uniform(2, 8) if pick.random() < RECENT else pick.uniform(8, 4_000)
        return datetime.now(UTC) - timedelta(minutes=minutes)


def _is_stored(fact: Fact, event: Event) -> bool:
    """Whether an event gets a row of its own; the start of a row does not."""
    return isinstance(fact, Entity) or event["type"] == WIRES[fact.name].typed(COMPLETION)
