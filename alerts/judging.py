"""Judging: what a rule's cells say of each of its instances; pure, for ticks and previews alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from alerts.conditions import judge
from alerts.evidence import Evidence
from alerts.guards import ABOVE
from alerts.instances import Labels, instance_name
from alerts.readings import Cells, Subject, Watched
from alerts.rules import INSTANCES_AT_MOST, Change, Threshold
from alerts.selection import Names
from alerts.states import Outcome
from alerts.windows import baseline_of, window_of
from analytics.answer import Key
from analytics.components import Components, total
from storage.dimensions import NONE, OTHER, PROJECT, Dimension
from storage.errors import GatewayError
from storage.names import OTHER_NAME


@dataclass(frozen=True, slots=True)
class Found:
    """The cells of a rule's window and, where it compares, of its baseline."""

    window: Cells
    baseline: Cells | None

    def ids(self, rule: Watched) -> Iterable[tuple[Dimension, int]]:
        """The ids whose names are needed to judge."""
        cells = (self.window, self.baseline) if rule.group_by else ()
        keys = {key for each in cells if each for key in each.groups(rule)}
        return {pair for key in keys for pair in zip(rule.group_by, key, strict=True)}


def found_in(
    rule: Watched, cells: Mapping[Subject, Cells | GatewayError], now: datetime
) -> Found | GatewayError:
    """Returns what a rule is judged by, from the cells of its subjects, or why it is missing."""
    window = cells[Subject.of(rule, window_of(rule.watch, now))]
    span = baseline_of(rule.watch, now)
    baseline = cells[Subject.of(rule, span)] if span is not None else None
    if isinstance(window, GatewayError):
        return window
    if isinstance(baseline, GatewayError):
        return baseline
    return Found(window, baseline)


def judged(
    rule: Watched, found: Found, names: Names, active: Mapping[str, Labels], now: datetime
) -> dict[str, Evidence]:
    """Returns the evidence of each instance by its name.

    ``active`` are the labels of the instances that are pending or firing: they are judged even if
    their group has vanished. Of a rule with groups as many others are watched as make
    INSTANCES_AT_MOST together with these.
    """
    window = found.window.groups(rule)
    baseline = found.baseline.groups(rule) if found.baseline else {}
    blank = found.window.blank
    whole = _whole(rule, window, blank), _whole(rule, baseline, blank)
    groups: dict[str, tuple[Key, Labels]] = {}
    for key in dict.fromkeys((*window, *baseline)):
        named = group_labels(rule.group_by, key, names)
        groups[instance_name(named)] = key, named
    others = [key for name, (key, _) in groups.items() if name not in active]
    room = max(0, INSTANCES_AT_MOST - len(active))
    left_out = set(_largest(rule, others, window)[room:]) if len(others) > room else set()
    results: dict[str, Evidence] = {}
    for name, (key, labels) in groups.items():
        if key in left_out:
            continue
        cells = window.get(key, blank), baseline.get(key, blank)
        evidence = _judge(rule, found, cells, whole, labels, now)
        results[name] = replace(evidence, left_out=len(left_out))
    for name, known in active.items():
        if name not in results:
            evidence = _judge(rule, found, (blank, blank), whole, known, now)
            results[name] = _vanished(rule, evidence)
    return results


def _judge(
    rule: Watched,
    found: Found,
    cells: tuple[Components, Components],
    whole: tuple[Components, Components],
    labels: Labels,
    now: datetime,
) -> Evidence:
    window = found.window.reading(cells[0], whole[0])
    baseline = found.baseline.reading(cells[1], whole[1]) if found.baseline else None
    return judge(rule.watch, window, baseline, found.window.as_of or now, labels)


def _vanished(rule: Watched, evidence: Evidence) -> Evidence:
    """The evidence of a group of which there is nothing left: it cannot stay wrong for ever."""
    if tuple(sorted(evidence.labels)) != tuple(sorted(each.name for each in rule.group_by)):
        reason = "The rule has other groups now."
        return replace(evidence, outcome=Outcome.GONE, reason=reason)
    if evidence.outcome is Outcome.BREACH:
        return replace(
            evidence, outcome=Outcome.NO_DATA, guard=None, reason="There is nothing of this group."
        )
    return evidence


def _whole(rule: Watched, groups: Mapping[Key, Components], blank: Components) -> Components:
    """All groups together: what a share is relative to."""
    if rule.group_by:
        return total(groups.values(), blank)
    return groups.get((), blank)


def _largest(rule: Watched, keys: list[Key], window: Mapping[Key, Components]) -> list[Key]:
    """The keys, those with the most events first; of ages those that are nearest to a breach."""
    measure, compared = rule.measure, rule.watch.comparison
    rises = isinstance(compared, Threshold | Change) and compared.operator in ABOVE

    def size(cell: Components) -> float:
        if not measure.needs_ages:
            return measure.sample(cell)
        value = measure.value(cell)
        return -inf if value is None else value if rises else -value

    return sorted(keys, key=lambda key: (-size(window[key]) if key in window else 0, key))


def group_labels(group_by: Iterable[Dimension], key: Key, names: Names) -> dict[str, str]:
    """Returns the names of a group, by dimension."""
    return {
        dimension.name: _name(dimension, id, names)
        for dimension, id in zip(group_by, key, strict=True)
    }


def _name(dimension: Dimension, id: int, names: Names) -> str:
    """The name of an id; '' where none was given."""
    if dimension is not PROJECT and id in (NONE, OTHER):
        return "" if id == NONE else OTHER_NAME
    return names.get(dimension, {}).get(id, str(id))
