"""Measures searches of log lines."""

from dataclasses import dataclass
from itertools import islice

import asyncpg

from benchmarks.asking import CACHES_OFF, Asker, asked
from benchmarks.effort import Effort
from benchmarks.measure import Times, timed
from benchmarks.population import PROJECT_SLUGS
from benchmarks.questions import Draws, Question, Variables
from benchmarks.seed_log_lines import (
    COMMON_WORD,
    FREQUENT_WORD,
    LARGEST_WORD,
    OLD_WORD,
    WORDS,
    rare_word,
    seed_log_lines,
)
from benchmarks.stage import Stage

_LIST = """
query Lines($filter: LogFilter, $levels: [LogLineLevel!], $range: TimeRange, $search: String) {
  logLines(filter: $filter, levels: $levels, range: $range, search: $search, first: 50) {
    totalCount
    nodes { id occurredAt level logger message fields }
  }
}"""


def _of_largest(**more: object) -> Variables:
    return {"filter": {"projects": [PROJECT_SLUGS[0]]}, **more}


def _rare(draws: Draws) -> Variables:
    return {"search": rare_word(draws.pick(*range(WORDS)))}


def _of_logger(_draws: Draws) -> Variables:
    filter = {"projects": [PROJECT_SLUGS[1]], "loggers": ["bench.module3"]}
    return {"filter": filter, "search": COMMON_WORD}


def _of_loggers(_draws: Draws) -> Variables:
    return {"filter": {"loggers": ["bench.module3", "bench.module4"]}, "search": OLD_WORD}


QUESTIONS = (
    Question("the newest lines of the largest project", _LIST, lambda _: _of_largest()),
    Question("its newest lines of level error", _LIST, lambda _: _of_largest(levels=["ERROR"])),
    Question("a rare word, in all projects", _LIST, _rare),
    Question("a word in every tenth line", _LIST, lambda _: {"search": FREQUENT_WORD}),
    Question(
        "a word in all lines of one project only",
        _LIST,
        lambda _: {"search": LARGEST_WORD},
    ),
    Question("a word in every line", _LIST, lambda _: {"search": COMMON_WORD}),
    Question("a word in every line, of one logger of a small project", _LIST, _of_logger),
    Question(
        "a word in every line, of level error",
        _LIST,
        lambda _: _of_largest(levels=["ERROR"], search=COMMON_WORD),
    ),
    Question("a word that only the oldest fifth has", _LIST, lambda _: {"search": OLD_WORD}),
    Question("an old word, of two loggers of all projects", _LIST, _of_loggers),
    Question("a word that no line has", _LIST, lambda _: {"search": "nowhere"}),
)


@dataclass(frozen=True, slots=True)
class LogLines:
    """The figures of log lines; bytes of a line are those on disk with all indexes."""

    lines: int
    row_bytes: float
    text_bytes: float
    searched: list[tuple[Question, Times]]


async def log_lines(stage: Stage, effort: Effort, lines: int) -> LogLines:
    """Seeds so many lines, and searches them with caches off."""
    await seed_log_lines(stage.url, lines, stage.now)
    rows, texts = [await _bytes(stage, table) / lines for table in ("log_lines", "log_texts")]
    with asked(stage, **CACHES_OFF) as gateway:
        asker = await gateway.connect()
        searched = [(each, await _times(asker, each, effort.rounds)) for each in QUESTIONS]
        await asker.close()
    return LogLines(lines, rows, texts, searched)


async def _times(asker: Asker, question: Question, rounds: int) -> Times:
    drawn = islice(question.asked("log lines", asker.gateway.stage.now), rounds)
    times = Times([await timed(asker.ask(question, variables)) for variables in drawn])
    print(f"log lines: {question.name}: {times.median_ms:.1f} ms", flush=True)
    return times


async def _bytes(stage: Stage, table: str) -> int:
    connection = await asyncpg.connect(stage.url)
    found: int = await connection.fetchval(_SIZE, table)
    await connection.close()
    return found


_SIZE = """
select sum(pg_total_relation_size(inhrelid))::bigint
from pg_inherits where inhparent = $1::text::regclass
"""
