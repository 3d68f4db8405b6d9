"""Tables of the report, and whether a goal is met."""

from collections.abc import Iterable, Iterator


def met(holds: bool) -> str:
    return "met" if holds else "missed"


def table(*heads: str) -> Iterator[str]:
    """The head of a table."""
    yield row(heads)
    yield "|---" * len(heads) + "|"


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def figure(what: str, value: str, goal: str = "", holds: bool | None = None) -> str:
    """A row with one figure and its goal; `holds` is whether the goal is met."""
    return row((what, value, goal, "" if holds is None else met(holds)))


FIGURE_HEADS = ("what", "figure", "goal", "")
