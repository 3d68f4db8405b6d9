"""Marks: words in the search of a log line's text that no text has.

The index of words finds the lines of a project, a level, a series, a deployment, a trace or a
few hours by them as it finds a word. So a frequent word in a rare series is found as quickly as a
rare word, and no line of another project is read for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

# Up to this many marks of one kind are asked for. Of more, what is found is checked.
MARKS_AT_MOST = 64
_DIGEST_BYTES = 8
# Four hours and two days, in seconds. Many short ones would take longer to look up than few long.
_TIMES = (("h", 4 * 3_600), ("u", 2 * 86_400))
_TIMES_AT_MOST = 9


def of_project(project_id: int) -> str:
    return f"p={project_id}"


def of_series(project_id: int, series_id: int) -> str:
    return f"s={project_id}.{series_id}"


def of_level(level: int) -> str:
    return f"l={level}"


def of_deployment(deployment_id: UUID) -> str:
    return f"d={deployment_id.hex}"


def of_trace(trace_id: str) -> str:
    return f"t={blake2b(trace_id.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"


def of_time(at: datetime) -> list[str]:
    """The marks of some hours and of some days."""
    return [f"{name}={int(at.timestamp()) // seconds}" for name, seconds in _TIMES]


def of_span(start: datetime, end: datetime) -> list[str]:
    """The marks of which each line from `start` up to `end` has one; none if they are too many."""
    for name, seconds in _TIMES:
        first, last = (int(at.timestamp()) // seconds for at in (start, end))
        if last - first < _TIMES_AT_MOST:
            return [f"{name}={number}" for number in range(first, last + 1)]
    return []


def asked(kinds: Iterable[Sequence[str]]) -> str:
    """A tsquery for one mark of each kind, if there are not too many of the kind."""
    some = (kind for kind in kinds if 0 < len(kind) <= MARKS_AT_MOST)
    return " & ".join(f"({' | '.join(map(_quoted, kind))})" for kind in some)


def _quoted(mark: str) -> str:
    return f"'{mark}'"
