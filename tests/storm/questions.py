"""Questions of several panels whose parts must agree, and what an answer to them must keep."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.storm.ledger import DAYS, NETWORKS, Ledger

COUNTS = "attempts succeeded failed cancelled rolledBack inProgress"
OUTCOMES = COUNTS.split()[1:]
# Each part's attempts add up to those of the whole.
PARTS = {
    "byProject": "byProject { attempts }",
    "byEnvironment": "byEnvironment { attempts }",
    "byNetwork": "byNetwork { attempts }",
    "byTemplate": "byTemplate { attempts }",
    "series": "series(interval: DAY) { attempts }",
    "finer": "finer: series(interval: HOUR) { attempts }",
}
EXTRAS = ("durationP50Ms", "activeProjects", "averageDurationMs", "previous { attempts }", "")


@dataclass(frozen=True, slots=True)
class Panel:
    """One alias of a document, and what it asks."""

    alias: str
    parts: tuple[str, ...]
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A document: panels over the same projects and time."""

    projects: tuple[str, ...]
    start: datetime
    end: datetime
    panels: tuple[Panel, ...]
    extra: str

    def document(self) -> str:
        return "{" + " ".join(self._panel(panel) for panel in self.panels) + self._table() + "}"

    def _panel(self, panel: Panel) -> str:
        parts = " ".join(PARTS[part] for part in panel.parts)
        asked = f"filter: {self._filter(panel.network)}, {self._range()}"
        return (
            f"{panel.alias}: deploymentStats({asked})"
            f" {{ {COUNTS} {self.extra} {parts} freshness {{ asOf complete }} }}"
        )

    def _table(self) -> str:
        return (
            f" table: metrics(measures: [ATTEMPTS], groupBy: [NETWORK], {self._range()},"
            f" filter: {self._filter(None)})"
            " { columns { total totals } freshness { asOf } }"
        )

    def _filter(self, network: str | None) -> str:
        slugs = ", ".join(f'"{slug}"' for slug in self.projects)
        of_network = f', networks: ["{network}"]' if network else ""
        return f"{{projects: [{slugs}]{of_network}}}"

    def _range(self) -> str:
        ends = f'start: "{self.start.isoformat()}", end: "{self.end.isoformat()}"'
        return f"range: {{between: {{{ends}}}}}"

    def faults(self, data: dict[str, Any], ledger: Ledger, answered_at: float) -> Iterator[str]:
        """What is wrong with an answer that came at a time; nothing where it is right."""
        for panel in self.panels:
            yield from _disagreements(panel, data[panel.alias])
            if panel.network is None:
                yield from self._untruths(data[panel.alias], ledger, answered_at)
        whole = data[self.panels[0].alias]["attempts"]
        networks = [data[panel.alias]["attempts"] for panel in self.panels if panel.network]
        if sum(networks) != whole:
            yield f"panels of networks {networks} do not add up to {whole}"
        (column,) = data["table"]["columns"]
        if column["total"] != whole or sum(column["totals"]) != whole:
            yield f"table {column} differs from {whole}"

    def _untruths(self, figures: Any, ledger: Ledger, answered_at: float) -> Iterator[str]:
        as_of = datetime.fromisoformat(figures["freshness"]["asOf"]).timestamp()
        span = (self.start, self.end)
        least, most = ledger.bounds(set(self.projects), span, as_of, answered_at)
        if not least <= figures["attempts"] <= most:
            yield f"{figures['attempts']} attempts as of {as_of}, must be {least} to {most}"
        if as_of > answered_at:
            yield f"as of {as_of}, answered at {answered_at}"


def _disagreements(panel: Panel, figures: dict[str, Any]) -> Iterator[str]:
    whole = figures["attempts"]
    if sum(figures[outcome] for outcome in OUTCOMES) != whole:
        yield f"outcomes {[figures[outcome] for outcome in OUTCOMES]} of {whole}"
    for part in panel.parts:
        parts = [row["attempts"] for row in figures[part]]
        if sum(parts) != whole:
            yield f"{panel.alias}: {part} {parts} of {whole}"


def made_up(chance: random.Random, projects: Sequence[str], today: datetime) -> Question:
    """A question over one to all of the projects, in whole days or odd hours and minutes."""
    some = tuple(sorted(chance.sample(list(projects), chance.randint(1, len(projects)))))
    start = today - timedelta(days=chance.randint(0, DAYS - 1))
    end = today + timedelta(days=chance.choice((0, 1, 3)))  # three: it still takes events
    end = max(end, start + timedelta(days=1))
    if chance.random() < 0.3:
        start += timedelta(minutes=chance.choice((15, 61, 247)))
    names = list(PARTS)
    panels = [Panel("whole", tuple(chance.sample(names, chance.randint(1, len(names)))))]
    panels += [
        Panel(network, tuple(chance.sample(names, chance.randint(0, 2))), network)
        for network in NETWORKS
    ]
    return Question(some, start, end, tuple(panels), chance.choice(EXTRAS))
