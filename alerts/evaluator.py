"""The evaluator: one tick judges all rules in one state of the data, and writes what has changed.

It never reads the answer cache. What a tick found is written in one transaction, which only the
leader's fence lets through.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from alerts.conditions import timing_of
from alerts.evidence import Evidence
from alerts.instances import Changes, Evaluation
from alerts.judging import Found, found_in, judged
from alerts.leader import Leader
from alerts.memory import Memory
from alerts.readings import Cells, Demand, Subject, Watched, demand_of, slices_of
from alerts.rules import StoredRule, Watch
from alerts.selection import Names, ids_of, names_of, selected
from alerts.states import Health, Outcome, Timing
from alerts.suspects import name_deployments
from alerts.turns import in_turns
from analytics.answer import Answer
from analytics.run import Analytics
from analytics.state import OneState
from storage.alerts import ticks
from storage.alerts.ticks import Tick
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.dimensions import Dimension
from storage.errors import GatewayError, LimitExceeded
from storage.keeping.windows import Retention

log = structlog.get_logger(component="alerts")

TICK = "watch"
TICK_SECONDS = 10
# So many projects are read by one statement, fewer where that gives too many cells.
PROJECTS_AT_ONCE = 2_000


@dataclass(slots=True)
class Report:
    """What a tick did, for logs and metrics."""

    at: datetime
    rules: int = 0
    statements: int = 0
    changed: int = 0  # instances
    transitions: int = 0
    failing: int = 0  # rules
    is_blind: bool = False  # there was something to read, and nothing of it could be read
    missed: int = 0  # ticks before this one that did not happen
    seconds: float = 0.0


class Evaluator:
    """Evaluates the rules that watch a measure, while this process leads."""

    def __init__(
        self,
        database: Database,
        retention: Retention,
        leader: Leader,
        clock: Callable[[], datetime],
    ) -> None:
        self._leader = leader
        self._clock = clock
        self._dictionaries = Dictionaries(database)
        self._analytics = Analytics(database, None, retention, clock)
        self._memory = Memory(TICK)
        self._at_once: dict[tuple[str, tuple[Dimension, ...]], int] = {}

    async def tick(self, fence: int) -> Report:
        """Evaluates all rules now.

        Raises Conflict if another process has taken over, and other errors if the database fails;
        nothing is written then.
        """
        began, report = time.perf_counter(), Report(self._clock())
        state = self._analytics.state()
        try:
            changes = await self._evaluate(state, report)
            state.release()
            await self._write(fence, changes, report)
        except BaseException:
            self._memory.doubt()
            raise
        finally:
            state.release()
        report.seconds = time.perf_counter() - began
        return report

    async def _evaluate(self, state: OneState, report: Report) -> Changes:
        memory = self._memory
        await memory.refresh(state.fetch, report.at)
        report.missed = _missed(memory.tick, report.at)
        evaluation = _Evaluation(memory, report)
        watched = await self._watched(evaluation)
        report.rules = len(watched)
        wanted: dict[Subject, Demand] = {}
        async for rule in in_turns(watched):
            demand_of(rule, report.at, wanted)
        cells = {
            subject: await self._read(subject, demand, state, report)
            for subject, demand in wanted.items()
        }
        unread = [each for each in cells.values() if isinstance(each, GatewayError)]
        report.is_blind = bool(unread) and len(unread) == len(cells)
        found = {
            rule.stored.id: _found_in(rule, cells, report.at) async for rule in in_turns(watched)
        }
        names = await self._names(watched, found)
        async for rule in in_turns(watched):
            evaluation.judge(rule, found[rule.stored.id], names)
        evaluation.end_others()
        return evaluation.changes

    async def _watched(self, evaluation: _Evaluation) -> list[Watched]:
        """The rules with the ids of the names in their filters, as far as these exist by now."""
        rules = evaluation.memory.rules.values()
        watches = [
            (rule, rule.rule.trigger) for rule in rules if isinstance(rule.rule.trigger, Watch)
        ]
        ids = await ids_of(self._dictionaries, [watch for _, watch in watches])
        watched = []
        async for rule, watch in in_turns(watches):
            if rule.problem is not None:
                evaluation.fail(rule, watch, rule.problem)
                continue
            try:
                watched.append(Watched.of(rule, watch, selected(watch, ids)))
            except Exception as error:  # such as a measure or dimension that is no longer there
                log.exception("rule_not_evaluated", rule=str(rule.id))
                evaluation.fail(rule, watch, _reason(error))
        return watched

    async def _read(
        self, subject: Subject, demand: Demand, state: OneState, report: Report
    ) -> Cells | GatewayError:
        """The cells of a subject, or why they cannot be read."""
        kind = subject.fact, subject.dimensions
        while True:
            at_once = self._at_once.get(kind, PROJECTS_AT_ONCE)
            slices = slices_of(subject, demand, self._memory.projects, at_once)
            answers = await self._analytics.run_each(slices, state)
            report.statements += len(slices)
            errors = [answer for answer in answers if isinstance(answer, GatewayError)]
            if not errors:
                return Cells.of(subject, [each for each in answers if isinstance(each, Answer)])
            if at_once == 1 or not any(isinstance(error, LimitExceeded) for error in errors):
                return errors[0]
            self._at_once[kind] = at_once // 4 or 1

    async def _names(
        self, watched: Iterable[Watched], found: Mapping[UUID, Found | GatewayError]
    ) -> Names:
        """The names of all groups that rules have found."""
        wanted = set[tuple[Dimension, int]]()
        async for rule in in_turns(watched):
            each = found[rule.stored.id]
            if isinstance(each, Found):
                wanted.update(each.ids(rule))
        return await names_of(self._dictionaries, wanted)

    async def _write(self, fence: int, changes: Changes, report: Report) -> None:
        before = self._memory.tick
        # A clock that goes back changes nothing until it has caught up.
        at = report.at if before is None else max(report.at, before.evaluated_at)
        tick = Tick(TICK, fence, at, {})
        async with self._leader.writing(fence) as connection:
            await ticks.write_tick(connection, before, tick)
            await name_deployments(connection, changes, self._memory.rules, report.at)
            await changes.write(connection)
        self._memory.remember(changes.instances, changes.deleted, tick)
        report.changed, report.transitions = len(changes.instances), len(changes.events)


class _Evaluation:
    """What one tick finds of each instance."""

    def __init__(self, memory: Memory, report: Report) -> None:
        self.memory = memory
        self.changes = Changes()
        self._report = report
        self._before = memory.tick.evaluated_at if memory.tick else None

    def judge(self, rule: Watched, found: Found | GatewayError, names: Names) -> None:
        """Evaluates the instances of a rule."""
        stored, active = rule.stored, self.memory.active(rule.stored)
        if isinstance(found, GatewayError):
            self.fail(stored, rule.watch, found.message)
            return
        labels = {name: row.labels for name, row in active.items() if name or not rule.group_by}
        try:
            evidence = judged(rule, found, names, labels, self._report.at)
        except Exception as error:  # what is wrong with one rule keeps no other from its turn
            log.exception("rule_not_evaluated", rule=str(stored.id))
            self.fail(stored, rule.watch, _reason(error))
            return
        timing = timing_of(rule.watch)
        for instance, each in evidence.items():
            self._apply(stored, instance, each, timing)
        if rule.group_by and (row := self.memory.row(stored, "")) and row.health != Health.OK:
            self._apply(stored, "", self._without_value(rule.watch, Outcome.CLEAR), timing)

    def fail(self, rule: StoredRule, watch: Watch, reason: str) -> None:
        """Notes that a rule cannot be evaluated: its instances stay as they are."""
        self._report.failing += 1
        evidence = self._without_value(watch, Outcome.ERROR, reason)
        self._apply(rule, "", evidence, timing_of(watch))

    def _without_value(self, watch: Watch, outcome: Outcome, reason: str | None = None) -> Evidence:
        return Evidence(self._report.at, outcome, watch.measure or None, reason=reason)

    def end_others(self) -> None:
        """Ends the instances of rules that are no longer evaluated, and then forgets them."""
        for rule_id, rows in self.memory.instances.items():
            if rule_id in self.memory.rules:
                continue
            rule = self.memory.ended.get(rule_id)
            for instance, row in rows.items():
                if rule is None or not row.phase:
                    self.changes.deleted.append(row.key)
                elif isinstance(rule.rule.trigger, Watch):
                    reason = "The rule is no longer evaluated."
                    gone = Evidence(self._report.at, Outcome.GONE, reason=reason, labels=row.labels)
                    self._apply(rule, instance, gone, Timing())

    def _apply(self, rule: StoredRule, instance: str, evidence: Evidence, timing: Timing) -> None:
        evaluation = Evaluation(rule, instance, evidence, timing, self._report.at, self._before)
        evaluation.apply(self.memory.row(rule, instance), self.changes)


def _found_in(
    rule: Watched, cells: Mapping[Subject, Cells | GatewayError], now: datetime
) -> Found | GatewayError:
    try:
        return found_in(rule, cells, now)
    except Exception as error:
        log.exception("rule_not_evaluated", rule=str(rule.stored.id))
        return GatewayError(_reason(error))


def _reason(error: Exception) -> str:
    detail = str(error) if isinstance(error, (KeyError, ValueError)) else type(error).__name__
    return f"The rule cannot be evaluated: {detail}"


def _missed(last: Tick | None, now: datetime) -> int:
    if last is None:
        return 0
    return max(0, round((now - last.evaluated_at).total_seconds() / TICK_SECONDS) - 1)
