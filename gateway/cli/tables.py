"""Tables of the pages that `make schema` writes."""

from collections.abc import Iterable, Sequence


def table(title: str, columns: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A section of a Markdown page that holds one table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return f"## {title}\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
