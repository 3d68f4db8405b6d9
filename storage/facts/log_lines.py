"""Log lines: a row for each; its message and fields are stored beside it, within a budget."""

from enum import IntEnum

from sqlalchemy import Column, Index, SmallInteger, Text, Uuid

from storage.dimensions import ENVIRONMENT, FUNCTION, LOGGER
from storage.facts.fact import Cell, Content, EventKeep
from storage.facts.parts import append, flagged


class Level(IntEnum):
    """The level of a line, as stored: a greater one is worse."""

    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6


_DIMENSIONS = (LOGGER, ENVIRONMENT, FUNCTION)
# A column and not a dimension: so lines are counted by level exactly, also in series beyond the
# limit, and a series needs one row of a roll-up, not one for each level.
_level = Column("level", SmallInteger, nullable=False)

LOG_LINES = append(
    "log_line",
    stem="Log",
    noun="log lines",
    leading="lines",
    dimensions=_DIMENSIONS,
    columns=(
        _level,
        Column("trace_id", Text),
        Column("span_id", Text),
        Column("release", Text),
        Column("deployment_id", Uuid),
    ),
    content=Content(names=("message", "fields"), tables=("log_texts",)),
    components=tuple(flagged(f"{each.name.lower()}_lines", _level == int(each)) for each in Level),
    cells=(Cell(1, "finest", _DIMENSIONS, of_platform=False),),
    histogram=None,
    kept=EventKeep.LOGS,
    series_at_most=2_000,
)

# Few lines name a trace or a deployment, and those are found by it.
for _name in ("trace_id", "deployment_id"):
    _column = LOG_LINES.table.c[_name]
    Index(
        f"log_lines_{_name}_idx",
        LOG_LINES.table.c.project_id,
        _column,
        LOG_LINES.table.c.occurred_at.desc(),
        postgresql_where=_column.is_not(None),
    )


def is_problem(level: int) -> bool:
    """Whether a line is a warning or worse, of which more texts are kept."""
    return level >= Level.WARN
