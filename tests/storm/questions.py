"""Questions of several panels whose parts must agree, and what an answer to them must keep."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from schema.names import constant_name, stats_name
from storage.dimensions import PROJECT
from storage.facts import FACTS
from storage.facts.fact import Entity, Fact
from tests.ingest.stories import made_up_names
from tests.storm.ledger import DAYS, Ledger


def leading(fact: Fact) -> str:
    """The field that counts its entities or rows."""
    return to_camel_case(fact.leading)


def parts(fact: Fact) -> dict[str, str]:
    """The parts of the fact's statistics that add up to the whole, as they are selected."""
    count = leading(fact)
    by = [to_camel_case(f"by_{each}") for each in (PROJECT, *fact.dimensions)]
    return {
        **{name: f"{name} {{ {count} }}" for name in by},
        "series": f"series(interval: DAY) {{ {count} }}",
        "finer": f"finer: series(interval: HOUR) {{ {count} }}",
        **({"byStatus": "byStatus { count }"} if isinstance(fact, Entity) else {}),
    }


def extras(fact: Fact) -> list[str]:
    """What is sometimes selected besides, and needs other statements."""
    found = ["", f"previous {{ {leading(fact)} }}"]
    if fact.timing:
        found += ["durationMs(percentile: 0.5)", "distribution { count }"]
    return found + (["activeProjects"] if fact.presences else [])


@dataclass(frozen=True, slots=True)
class Panel:
    """One alias of a document, and its selection: a fact, some parts, one name or all."""

    alias: str
    fact: Fact
    parts: tuple[str, ...]
    extra: str = ""
    name: str | None = None

    def selection(self) -> str:
        chosen = [parts(self.fact)[part] for part in self.parts]
        return f"{leading(self.fact)} {self.extra} {' '.join(chosen)}"

    def whole(self, figures: dict[str, Any]) -> int:
        count: int = figures[leading(self.fact)]
        return count

    def faults(self, figures: dict[str, Any]) -> Iterator[str]:
        """The parts that do not add up to the whole."""
        for part in self.parts:
            name = "count" if part == "byStatus" else leading(self.fact)
            counts = [row[name] for row in figures[part]]
            if sum(counts) != self.whole(figures):
                yield f"{self.alias}: {part} {counts} of {self.whole(figures)}"


@dataclass(frozen=True, slots=True)
class Question:
    """A document: panels of one or two facts over the same projects and time."""

    projects: tuple[str, ...]
    start: datetime
    end: datetime
    facts: tuple[Fact, ...]
    panels: tuple[Panel, ...]

    def document(self) -> str:
        return "{" + " ".join(self._panel(panel) for panel in self.panels) + self._table() + "}"

    def _panel(self, panel: Panel) -> str:
        field = stats_name(panel.fact)
        asked = f"filter: {self._filter(panel)}, {self._range()}"
        freshness = "freshness { asOf complete }"
        return f"{panel.alias}: {field}({asked}) {{ {panel.selection()} {freshness} }}"

    def _table(self) -> str:
        measures = ", ".join(f"{constant_name(f)}_{f.leading.upper()}" for f in self.facts)
        shared = next(d for d in self.facts[0].dimensions if d in self.facts[-1].dimensions)
        return (
            f" table: metrics(measures: [{measures}], groupBy: [{shared.name.upper()}],"
            f" {self._range()}, filter: {self._filter()})"
            " { columns { total totals } freshness { asOf } }"
        )

    def _filter(self, panel: Panel | None = None) -> str:
        slugs = ", ".join(f'"{slug}"' for slug in self.projects)
        named = ""
        if panel and panel.name:
            names = to_camel_case(panel.fact.dimensions[0].plural)
            named = f', {names}: ["{panel.name}"]'
        return f"{{projects: [{slugs}]{named}}}"

    def _range(self) -> str:
        ends = f'start: "{self.start.isoformat()}", end: "{self.end.isoformat()}"'
        return f"range: {{between: {{{ends}}}}}"

    def faults(self, data: dict[str, Any], ledger: Ledger, answered_at: float) -> Iterator[str]:
        """What is wrong with an answer that came at a time; nothing where it is right."""
        for panel in self.panels:
            yield from panel.faults(data[panel.alias])
            if panel.name is None:
                yield from self._untruths(panel, data[panel.alias], ledger, answered_at)
        for fact, column in zip(self.facts, data["table"]["columns"], strict=True):
            panels = [panel for panel in self.panels if panel.fact is fact]
            whole, *named = (panel.whole(data[panel.alias]) for panel in panels)
            if sum(named) != whole:
                yield f"panels of {fact.dimensions[0].plural} {named} do not add up to {whole}"
            if column["total"] != whole or sum(column["totals"]) != whole:
                yield f"table {column} differs from {whole}"

    def _untruths(
        self, panel: Panel, figures: Any, ledger: Ledger, answered_at: float
    ) -> Iterator[str]:
        as_of = datetime.fromisoformat(figures["freshness"]["asOf"]).timestamp()
        span, counted = (self.start, self.end), panel.whole(figures)
        least, most = ledger.bounds(panel.fact, self.projects, span, as_of, answered_at)
        if not least <= counted <= most:
            yield f"{counted} {panel.fact.noun} as of {as_of}, must be {least} to {most}"
        if as_of > answered_at:
            yield f"as of {as_of}, answered at {answered_at}"


def made_up(chance: random.Random, projects: Sequence[str], today: datetime) -> Question:
    """A question over one to all of the projects, in whole days or odd hours and minutes."""
    some = tuple(sorted(chance.sample(list(projects), chance.randint(1, len(projects)))))
    start = today - timedelta(days=chance.randint(0, DAYS - 1))
    end = today + timedelta(days=chance.choice((0, 1, 3)))  # three: it still takes events
    end = max(end, start + timedelta(days=1))
    if chance.random() < 0.3:
        start += timedelta(minutes=chance.choice((15, 61, 247)))
    facts = tuple(chance.sample(list(FACTS.values()), min(len(FACTS), chance.randint(1, 2))))
    panels = tuple(panel for fact in facts for panel in _panels(chance, fact))
    return Question(some, start, end, facts, panels)


def _panels(chance: random.Random, fact: Fact) -> Iterator[Panel]:
    """The whole of a fact, and a panel for each name of its first dimension."""
    known = list(parts(fact))
    some = tuple(chance.sample(known, chance.randint(1, len(known))))
    yield Panel(f"{fact.name}_whole", fact, some, chance.choice(extras(fact)))
    for number, name in enumerate(made_up_names(fact.dimensions[0])):
        some = tuple(chance.sample(known, chance.randint(0, 2)))
        yield Panel(f"{fact.name}_{number}", fact, some, name=name)
